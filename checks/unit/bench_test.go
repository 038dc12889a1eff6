package unit

import (
	"context"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/systembus"
)

// The bus is real, systemd is not.
func BenchmarkFactsOfOneUnit(b *testing.B) {
	bus := systembus.StartT(b)
	bus.SystemdT(b).Set("nginx.service", systembus.Running(44))
	r := on(b, bus)

	_, err := r.Facts(context.Background(), "nginx.service")
	require.NoError(b, err)

	for b.Loop() {
		_, err := r.Facts(context.Background(), "nginx.service")
		require.NoError(b, err)
	}
}
