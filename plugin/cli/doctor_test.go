package cli

import (
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// What a kernel does not have was told as "NO … mend: nothing does", with status 1.
func TestAnErrorIsMarkedByWhatMendsIt(t *testing.T) {
	t.Parallel()

	_, absent := helper.NewClient(filepath.Join(t.TempDir(), "none.sock")).Status(t.Context())

	for name, test := range map[string]struct {
		err  error
		want finding
	}{
		"the kernel does not have it": {
			fmt.Errorf("cannot read: %w; mount it", fs.ErrNotExist), finding{Name: "x", Less: true, Found: "cannot read: file does not exist; this kernel does not have it"},
		},
		"the helper is missing": {fmt.Errorf("cannot ask; why: %w", absent), finding{Name: "x", Found: "cannot ask", Mend: mendHelper}},
		"something else":        {fmt.Errorf("cannot read; do that"), finding{Name: "x", Found: "cannot read; do that"}},
	} {
		require.Equal(t, test.want, failing("x", test.err), name)
	}
}

// As root all was green where the agent, an ordinary user without a helper, was crippled.
func TestAHelperThatIsAbsentIsToldOfAlsoToRoot(t *testing.T) {
	t.Parallel()

	socket := filepath.Join(t.TempDir(), "none.sock")
	want := []finding{{Name: "root helper", Less: true, Found: asRoot}}

	if os.Geteuid() != 0 {
		want = []finding{{Name: "root helper", Found: "cannot ask the root helper: " + socket + " is missing", Mend: "run systemctl enable --now zabbix-hosting-helper.socket"}}
	}

	require.Equal(t, want, examineHelper(helper.NewClient(socket)))
}
