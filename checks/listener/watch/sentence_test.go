package watch

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/listener"
)

func TestSentences(t *testing.T) {
	t.Parallel()

	nginx := &Process{PID: 12, Name: "nginx", CommandLine: "nginx -t"}
	parents := []Process{{PID: 11, Name: "sh"}, {PID: 10, Name: "cron"}}
	here := addressOf("192.0.2.1:80")
	concern := func(r listener.Relation) []Concern {
		return []Concern{{MasterPID: 7, MasterAddress: addressOf("0.0.0.0:80"), Relation: r}}
	}

	for want, e := range map[string]Event{
		"process nginx (12: nginx -t), started by sh (11) by cron (10), listened on 192.0.2.1:80 for 0.5 ms beside nginx (master 7)": {
			Process: nginx, Parents: parents, LifetimeS: new(0.0005), Concerns: concern(listener.RelationSameAddress),
		},
		"process nginx (12: nginx -t) listens on 192.0.2.1:80 before nginx's 0.0.0.0:80 (master 7)": {
			Process: nginx, Listening: true, Concerns: concern(listener.RelationMoreSpecific),
		},
		"process init (1) listened on 192.0.2.1:80 for 2.5 s behind nginx's 0.0.0.0:80 (master 7)": {
			Process: &Process{PID: 1, Name: "init"}, LifetimeS: new(2.5), Concerns: concern(listener.RelationLessSpecific),
		},
		"an unknown process listened on 192.0.2.1:80 for 1h1m1s":             {LifetimeS: new(3661.2)},
		"an unknown process listened on 192.0.2.1:80":                        {},
		"process nginx (12: nginx -t) was refused to listen on 192.0.2.1:80": {Process: nginx, Refused: true, LifetimeS: new(1e-6)},
	} {
		e.Address = here
		require.Equal(t, want, e.sentence())
	}
}

func TestStatesHaveStableNumbersAndNames(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{0: "off", 1: "watching", 2: "polling"}, States())
	require.Equal(t, "state_7", State(7).String())
}
