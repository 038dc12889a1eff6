package settings

import (
	"errors"
	"fmt"
	"os"
	"os/user"
	"path/filepath"
	"strings"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

var errNoUsers = errors.New("no users here")

func TestAFileThatIsAbsentLeavesTheDefaults(t *testing.T) {
	t.Parallel()

	path := t.TempDir() + "/none.toml"
	got, err := load(path, users)
	require.NoError(t, err)
	require.Equal(t, with(func(s *Settings) { s.UID = 112 }), got)

	_, err = load(path, func(string) (*user.User, error) { return nil, errNoUsers })
	require.EqualError(t, err, "cannot use "+path+`: user = "zabbix": there is no such user; install zabbix-agent2, or name the agent's user`)

	// The host's own users.
	require.NoError(t, os.WriteFile(path, []byte(`user = "root"`), 0o600))

	got, err = Load(path)
	require.NoError(t, err)
	require.Equal(t, with(func(s *Settings) { s.User = "root" }), got)
}

// nobody is an ordinary user.
const nobody = 65534

const (
	good = "idle_exit = \"1h\"\n"
	// readLimit is what no file may take, a pipe for example.
	readLimit = 2 * time.Second
)

// write makes a file of that mode whatever the umask.
func write(t *testing.T, path, text string, mode os.FileMode) {
	t.Helper()

	require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
	require.NoError(t, os.Chmod(path, mode))
}

// TestWhoElseMayChangeTheFileMakesItRefused has each case in a directory of its own, whose file is named in the errors as FILE.
func TestWhoElseMayChangeTheFileMakesItRefused(t *testing.T) {
	t.Parallel()

	asRoot := os.Geteuid() == 0

	for name, test := range map[string]struct {
		make func(t *testing.T, dir, path string)
		err  string
		// root tells that only root can make this.
		root bool
	}{
		"only its owner may write it": {make: func(t *testing.T, _, path string) { write(t, path, good, 0o644) }},
		"only its owner may see it":   {make: func(t *testing.T, _, path string) { write(t, path, good, 0o600) }},
		"it is as large as it may be": {make: func(t *testing.T, _, path string) {
			write(t, path, good+"#"+strings.Repeat("x", maxFile-len(good)-1), 0o600)
		}},
		"its group may write it":         {make: func(t *testing.T, _, path string) { write(t, path, good, 0o664) }, err: "cannot use FILE: it is writable for others; run chmod go-w FILE"},
		"everybody may write it":         {make: func(t *testing.T, _, path string) { write(t, path, good, 0o646) }, err: "cannot use FILE: it is writable for others; run chmod go-w FILE"},
		"it is larger than it may be":    {make: func(t *testing.T, _, path string) { write(t, path, strings.Repeat("#", maxFile+1), 0o600) }, err: "cannot use FILE: it has more than 65536 bytes"},
		"it is a directory":              {make: func(t *testing.T, _, path string) { require.NoError(t, os.Mkdir(path, 0o755)) }, err: "cannot use FILE: it is not a file; put one there or remove it"},
		"it is a device":                 {make: func(t *testing.T, _, path string) { require.NoError(t, os.Symlink("/dev/zero", path)) }, err: "cannot use FILE: it is not a file; put one there or remove it"},
		"it is a pipe that nobody fills": {make: func(t *testing.T, _, path string) { require.NoError(t, syscall.Mkfifo(path, 0o600)) }, err: "cannot use FILE: it is not a file; put one there or remove it"},
		"it is a link to nothing":        {make: func(t *testing.T, _, path string) { require.NoError(t, os.Symlink("none", path)) }, err: "cannot use FILE: it is a link to nothing; correct or remove it"},
		"it is a link to itself":         {make: func(t *testing.T, _, path string) { require.NoError(t, os.Symlink(filepath.Base(path), path)) }, err: "cannot read the helper's configuration: open FILE: too many levels of symbolic links; let root read it"},
		"its directory is a file": {make: func(t *testing.T, dir, _ string) {
			require.NoError(t, os.Remove(dir))
			write(t, dir, "", 0o600)
		}, err: "cannot read the helper's configuration: open FILE: not a directory; let root read it"},
		"it is a link to a file that only its owner may write": {make: func(t *testing.T, dir, path string) {
			write(t, dir+"/other", good, 0o600)
			require.NoError(t, os.Symlink("other", path))
		}},
		"it is a link to a file that everybody may write": {make: func(t *testing.T, dir, path string) {
			write(t, dir+"/other", good, 0o666)
			require.NoError(t, os.Symlink("other", path))
		}, err: "cannot use FILE: it is writable for others; run chmod go-w FILE"},
		"it is a link into a directory where others may put another": {make: func(t *testing.T, dir, path string) {
			require.NoError(t, os.Mkdir(dir+"/open", 0o700))
			write(t, dir+"/open/other", good, 0o600)
			require.NoError(t, os.Chmod(dir+"/open", 0o777))
			require.NoError(t, os.Symlink("open/other", path))
		}, err: "cannot use FILE: not safe to use: DIR/open is writable for others; run chmod go-w DIR/open"},
		"it is in a directory where others may put another": {make: func(t *testing.T, dir, path string) {
			write(t, path, good, 0o600)
			require.NoError(t, os.Chmod(dir, 0o775))
		}, err: "cannot use FILE: not safe to use: DIR is writable for others; run chmod go-w DIR"},
		"it is in a directory where others may put no other in its place, as in /tmp": {make: func(t *testing.T, dir, path string) {
			write(t, path, good, 0o600)
			require.NoError(t, os.Chmod(dir, 0o777|os.ModeSticky))
		}},
		"it belongs to another user": {make: func(t *testing.T, _, path string) {
			write(t, path, good, 0o600)
			require.NoError(t, os.Chown(path, nobody, nobody))
		}, err: "cannot use FILE: it belongs to another user; run chown root FILE", root: true},
		"its directory belongs to another user": {make: func(t *testing.T, dir, path string) {
			write(t, path, good, 0o600)
			require.NoError(t, os.Chown(dir, nobody, nobody))
		}, err: "cannot use FILE: not safe to use: DIR belongs to another user; run chown root DIR", root: true},
		"it is another user's link to a file of root's": {make: func(t *testing.T, dir, path string) {
			write(t, dir+"/other", good, 0o600)
			require.NoError(t, os.Symlink("other", path))
			require.NoError(t, os.Lchown(path, nobody, nobody))
		}, err: "cannot use FILE: not safe to use: FILE belongs to another user; run chown root FILE", root: true},
	} {
		if test.root && !asRoot {
			continue
		}

		t.Run(name, func(t *testing.T) {
			t.Parallel()

			dir := filepath.Join(t.TempDir(), "etc")
			path := filepath.Join(dir, "helper.toml")
			require.NoError(t, os.Mkdir(dir, 0o755))
			test.make(t, dir, path)

			begun := time.Now()
			got, err := load(path, users)
			require.Less(t, time.Since(begun), readLimit)

			if test.err != "" {
				require.EqualError(t, err, strings.NewReplacer("FILE", path, "DIR", dir).Replace(test.err))
				require.Equal(t, Settings{}, got)

				return
			}

			require.NoError(t, err)
			require.Equal(t, with(func(s *Settings) { s.IdleExit, s.UID = time.Hour, 112 }), got)
		})
	}
}

func TestAFileThatCannotBeReadIsToldOf(t *testing.T) {
	t.Parallel()

	path := t.TempDir() + "/helper.toml"
	write(t, path, good, 0)
	apart.AsNobody(t, func() {
		_, err := load(path, users)
		require.EqualError(t, err, fmt.Sprintf("cannot read the helper's configuration: open %s: permission denied; let root read it", path))
	})
}

func TestAnErrorNamesTheFile(t *testing.T) {
	t.Parallel()

	path := t.TempDir() + "/helper.toml"
	write(t, path, "\nidle_exit = \"1y\"\n", 0o600)

	_, err := load(path, users)
	require.EqualError(t, err, "cannot use "+path+`: idle_exit = "1y": allowed is a time from 1s to 24h`)

	write(t, path, "\nidle_exit: 1m\n", 0o600)

	_, err = load(path, users)
	require.EqualError(t, err, "cannot use "+path+`: line 2: expected '.' or '=', but got ':' instead`)
}
