package slabowner

import (
	"os"
	"testing"

	"zabbix-agent2-plugin-hosting/testenv/leak"
)

func TestMain(m *testing.M) {
	leak.Serve()
	holdSession()
	os.Exit(m.Run())
}
