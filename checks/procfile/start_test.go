package procfile_test

import (
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

func TestTheStartOfAProcessIsReadWhateverItsName(t *testing.T) {
	t.Parallel()

	fields := "S 1" + strings.Repeat(" 7", 17)

	for name, test := range map[string]struct {
		stat  string
		ticks uint64
		ok    bool
	}{
		"a name":              {"12 (nginx) " + fields + " 4711 8 9\n", 4711, true},
		"a name that is odd":  {"12 (a) S 1 2 (b) " + fields + " 4711 8 9\n", 4711, true},
		"the last field":      {"12 (nginx) " + fields + " 4711", 4711, true},
		"too few fields":      {"12 (nginx) " + fields + "\n", 0, false},
		"no name":             {"12 nginx " + fields + " 4711\n", 0, false},
		"a start that is odd": {"12 (nginx) " + fields + " -1 8\n", 0, false},
		"nothing":             {"", 0, false},
	} {
		ticks, ok := procfile.StartTicks([]byte(test.stat))
		require.Equal(t, test.ok, ok, name)
		require.Equal(t, test.ticks, ticks, name)
	}
}
