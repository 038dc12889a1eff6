package probe

import (
	"os"
	"testing"

	"zabbix-agent2-plugin-hosting/testenv/listeners"
)

func TestMain(m *testing.M) {
	listeners.Run()

	if os.Getenv(watchVariable) != "" {
		watchUntilKilled()
	}

	listeners.Alone()
	os.Exit(m.Run())
}
