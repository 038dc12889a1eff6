package program

import (
	"testing"

	"github.com/stretchr/testify/require"
)

// What is unpacked for one choice must not be taken for another's.
func TestEachChoiceHasAVersionOfItsOwn(t *testing.T) {
	for version, choice := range map[string]Choice{
		"nginx":                        {Packages: []string{"nginx"}},
		"nginx libfoo":                 {Packages: []string{"nginx", "libfoo"}},
		"nginx of bookworm-backports":  {Packages: []string{"nginx"}, Suite: "bookworm-backports"},
		"nginx +fonts":                 {Packages: []string{"nginx"}, Also: []string{"fonts"}},
		"nginx -libfoo":                {Packages: []string{"nginx"}, Without: []string{"libfoo"}},
		"nginx of sid +a -b changed 2": {Packages: []string{"nginx"}, Suite: "sid", Also: []string{"a"}, Without: []string{"b"}, Changed: "2"},
	} {
		require.Equal(t, version, choice.version())
	}
}
