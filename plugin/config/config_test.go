package config

import (
	"encoding/json"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/site"
)

// leaf is a line `Plugins.Hosting.<name>=<value>` as agent 7.0 sends it; agent 6.0 sends an empty value as null.
func leaf(name string, line int, values ...any) map[string]any {
	nodes := []any{}
	for _, value := range values {
		nodes = append(nodes, map[string]any{"Value": value, "Line": line})
	}

	return map[string]any{"Name": name, "Nodes": nodes, "Line": line}
}

func tree(t *testing.T, nodes ...any) []byte {
	t.Helper()

	encoded, err := json.Marshal(map[string]any{"Name": "Hosting", "Nodes": nodes, "Line": 1})
	require.NoError(t, err)

	return encoded
}

func TestParse(t *testing.T) {
	t.Parallel()

	defaults := Options{
		ProcPath: "/proc", SysPath: "/sys", KmsgPath: "/dev/kmsg", HelperSocket: "/run/zabbix-hosting-helper.sock", SlabHistory: time.Hour, Sites: []site.Site{},
		WatchListeners: true, WatchKills: true, SlabSession: 2 * time.Minute, SlabSessionEvery: time.Hour, SlabSessionGrowthMiB: 8, SlabSessionCPUPct: 20,
		Nginx: []instance.Configured{}, NginxRevalidate: time.Hour, NginxTimeout: time.Minute,
	}
	with := func(change func(*Options)) Options {
		options := defaults
		change(&options)

		return options
	}
	system := map[string]any{"Name": "System", "Nodes": []any{leaf("Path", 2, []byte("/usr/bin/x"))}, "Line": 2}

	tests := map[string]struct {
		private []byte
		want    Options
		wantErr string
	}{
		"no section at all gives the defaults":              {private: nil, want: defaults},
		"null gives the defaults":                           {private: []byte("null"), want: defaults},
		"the System node of agents 6.0 and 7.0.9 is theirs": {private: tree(t, system), want: defaults},
		"a time has Zabbix's suffixes": {
			private: tree(t, leaf("SlabHistory", 3, []byte("2d"))),
			want:    with(func(o *Options) { o.SlabHistory = 48 * time.Hour }),
		},
		"a time without a suffix is in seconds": {
			private: tree(t, leaf("SlabHistory", 3, []byte("900"))),
			want:    with(func(o *Options) { o.SlabHistory = 15 * time.Minute }),
		},
		"of a repeated option the last counts": {
			private: tree(t, leaf("ProcPath", 3, []byte("/a"), []byte("/host/proc"))),
			want:    with(func(o *Options) { o.ProcPath = "/host/proc" }),
		},
		"an unknown option is named with its line": {
			private: tree(t, leaf("SlabHistroy", 17, []byte("1h"))),
			wantErr: "cannot use option Plugins.Hosting.SlabHistroy (line 17): there is no such option; " +
				"known are Sites.<name>.URL, Nginx.<name>.Binary, SlabHistory, ProcPath, SysPath, KmsgPath",
		},
		"an option in small letters is told from its name": {
			private: tree(t, leaf("slabhistory", 17, []byte("1h"))),
			wantErr: "cannot use option Plugins.Hosting.slabhistory (line 17): there is no option slabhistory; names are case-sensitive: write SlabHistory",
		},
		"an unknown nested option is named whole": {
			private: tree(t, map[string]any{"Name": "Places", "Nodes": []any{leaf("URL", 9, []byte("x"))}, "Line": 9}),
			wantErr: "cannot use option Plugins.Hosting.Places.URL (line 9)",
		},
		"an option that has others below it is unknown": {
			private: tree(t, map[string]any{"Name": "ProcPath", "Nodes": []any{leaf("X", 9, []byte("x"))}, "Line": 9}),
			wantErr: "Plugins.Hosting.ProcPath.X (line 9)",
		},
		"a time out of range says what is allowed": {
			private: tree(t, leaf("SlabHistory", 3, []byte("5m"))),
			wantErr: "cannot use option Plugins.Hosting.SlabHistory=5m (line 3): allowed is a time from 10m to 7d, such as 90m or 1d",
		},
		"a time that overflows is refused": {
			private: tree(t, leaf("SlabHistory", 3, []byte("99999999999w"))), wantErr: "Plugins.Hosting.SlabHistory=99999999999w",
		},
		"a word is no time": {
			private: tree(t, leaf("SlabHistory", 3, []byte("h"))), wantErr: "Plugins.Hosting.SlabHistory=h ",
		},
		"an empty value from agent 7.0 is refused": {
			private: tree(t, leaf("SysPath", 4, []byte(""))),
			wantErr: "cannot use option Plugins.Hosting.SysPath= (line 4): allowed is an absolute path",
		},
		"an empty value from agent 6.0 is refused alike": {
			private: tree(t, leaf("SysPath", 4, nil)),
			wantErr: "cannot use option Plugins.Hosting.SysPath= (line 4): allowed is an absolute path",
		},
		"a relative path is refused": {
			private: tree(t, leaf("ProcPath", 4, []byte("proc"))), wantErr: "Plugins.Hosting.ProcPath=proc (line 4)",
		},
		"text that is no JSON is an error": {private: []byte("{"), wantErr: "cannot decode the options that the agent sent"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, err := Parse(test.private)
			if test.wantErr != "" {
				require.ErrorContains(t, err, test.wantErr)

				return
			}

			require.NoError(t, err)
			require.Equal(t, test.want, got)
		})
	}
}

func TestEachDefaultIsAllowedByItsOwnOption(t *testing.T) {
	t.Parallel()

	require.NotPanics(t, func() { Defaults() })
}

func FuzzParse(f *testing.F) {
	f.Add([]byte(`{"Name":"Hosting","Nodes":[{"Name":"SlabHistory","Nodes":[{"Value":"MWg=","Line":3}],"Line":3}],"Line":1}`))
	f.Add([]byte(`{"Nodes":[{"Name":"X","Nodes":[{"Value":null}]}]}`))

	f.Fuzz(func(t *testing.T, private []byte) {
		options, err := Parse(private)
		if err != nil {
			return
		}

		require.GreaterOrEqual(t, options.SlabHistory, minSlabHistory)
		require.LessOrEqual(t, options.SlabHistory, maxSlabHistory)
	})
}
