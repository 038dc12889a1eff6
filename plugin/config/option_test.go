package config

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What the helper's file has, too, was set here in vain.
func TestAnOptionSaysWhetherTheHelpersOwnDecides(t *testing.T) {
	t.Parallel()

	for want, option := range map[string]Option{
		"What it is.": {Description: "What it is."},
		"What it is. Where the root helper answers, its watch_kills decides.":            {Description: "What it is.", Helper: "watch_kills"},
		"What it is. Where the root helper answers, its slab_session_every counts, too.": {Description: "What it is.", Helper: "slab_session_every", both: true},
	} {
		require.Equal(t, want, option.Meaning())
	}
}
