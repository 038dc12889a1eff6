package unit

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"
)

// The bus is real, systemd is not.
func BenchmarkFactsOfOneUnit(b *testing.B) {
	_, _, r := withNginx(b)

	_, err := r.Facts(context.Background(), "nginx.service")
	require.NoError(b, err)

	for b.Loop() {
		_, err := r.Facts(context.Background(), "nginx.service")
		require.NoError(b, err)
	}
}
