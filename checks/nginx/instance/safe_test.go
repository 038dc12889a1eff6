package instance

import (
	"io/fs"
	"os"
	"path/filepath"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// fakeFile is what lstat says of a path.
type fakeFile struct {
	mode   fs.FileMode
	uid    uint32
	target string
}

func (f fakeFile) Name() string       { return "" }
func (f fakeFile) Size() int64        { return 0 }
func (f fakeFile) Mode() fs.FileMode  { return f.mode }
func (f fakeFile) ModTime() time.Time { return time.Time{} }
func (f fakeFile) IsDir() bool        { return f.mode.IsDir() }
func (f fakeFile) Sys() any           { return &syscall.Stat_t{Uid: f.uid} }

const (
	dirMode  = fs.ModeDir | 0o755
	linkMode = fs.ModeSymlink | 0o777
)

// host is a file system on which some paths are safe and others are not.
var host = map[string]fakeFile{
	"/": {mode: dirMode}, "/usr": {mode: dirMode}, "/usr/sbin": {mode: dirMode}, "/usr/sbin/nginx": {mode: 0o755},
	"/sbin": {mode: linkMode, target: "usr/sbin"}, "/usr/sbin/loop": {mode: linkMode, target: "loop"},
	"/usr/sbin/up": {mode: linkMode, target: "../sbin/./nginx"}, "/usr/sbin/away": {mode: linkMode, target: "/open/nginx"},
	"/usr/sbin/alice": {mode: linkMode, target: "nginx", uid: 1000}, "/usr/sbin/group": {mode: 0o775},
	"/usr/sbin/world": {mode: 0o757}, "/usr/sbin/owned": {mode: 0o755, uid: 1000}, "/usr/sbin/pipe": {mode: fs.ModeNamedPipe | 0o600},
	"/usr/sbin/gone": {mode: linkMode, target: "none"},
	"/tmp":           {mode: fs.ModeDir | fs.ModeSticky | 0o777}, "/tmp/nginx": {mode: 0o755},
	"/tmp/alice": {mode: 0o755, uid: 1000}, "/open": {mode: fs.ModeDir | 0o777}, "/open/nginx": {mode: 0o755},
	"/home": {mode: dirMode}, "/home/alice": {mode: dirMode, uid: 1000}, "/home/alice/nginx": {mode: 0o755},
}

func fakeSafety(trusted ...uint32) safety {
	lstat := func(path string) (fs.FileInfo, error) {
		if file, ok := host[path]; ok {
			return file, nil
		}

		return nil, &fs.PathError{Op: "lstat", Path: path, Err: syscall.ENOENT}
	}

	return safety{lstat: lstat, readlink: func(path string) (string, error) { return host[path].target, nil }, trusted: trusted}
}

func TestWhatOnlyRootCanChangeIsSafe(t *testing.T) {
	t.Parallel()

	for _, path := range []string{"/usr/sbin/nginx", "/sbin/nginx", "/usr/sbin/up", "//usr/./sbin/../sbin/nginx", "/sbin/../sbin/nginx", "/tmp/nginx"} {
		require.NoError(t, fakeSafety(0).check(path, 0), path)
	}

	require.NoError(t, fakeSafety(0, 1000).check("/home/alice/nginx", 0), "an ordinary user trusts himself")
}

func TestWhatOthersCanChangeIsRefused(t *testing.T) {
	t.Parallel()

	const unsafe = ": not safe to use: "

	for path, want := range map[string]string{
		"/home/alice/nginx": unsafe + "/home/alice belongs to another user; run chown root /home/alice",
		"/usr/sbin/owned":   unsafe + "/usr/sbin/owned belongs to another user; run chown root /usr/sbin/owned",
		"/usr/sbin/alice":   unsafe + "/usr/sbin/alice belongs to another user; run chown root /usr/sbin/alice",
		"/tmp/alice":        unsafe + "/tmp/alice belongs to another user; run chown root /tmp/alice",
		"/open/nginx":       unsafe + "/open is writable for others; run chmod go-w /open",
		"/usr/sbin/away":    unsafe + "/open is writable for others; run chmod go-w /open",
		"/usr/sbin/group":   unsafe + "/usr/sbin/group is writable for others; run chmod go-w /usr/sbin/group",
		"/usr/sbin/world":   unsafe + "/usr/sbin/world is writable for others; run chmod go-w /usr/sbin/world",
		"/usr/sbin/loop":    ": too many links; correct the path",
		"/tmp/none":         unsafe + "/tmp/none is missing, and anybody may make it in /tmp; put it there, or name another path",
		"/tmp/none/deeper":  unsafe + "/tmp/none is missing, and anybody may make it in /tmp; put it there, or name another path",
		"/usr/sbin/gone":    ": lstat /usr/sbin/none: no such file or directory",
		"/usr/sbin":         ": it is no regular file; correct the path",
		"/usr/sbin/pipe":    ": it is no regular file; correct the path",
		"/usr/sbin/nginx/x": ": /usr/sbin/nginx is not a directory; correct the path",
	} {
		err := fakeSafety(0).check(path, 0)
		require.EqualError(t, err, "cannot use "+path+want)
	}

	// Nobody replaces what is in /tmp, but anybody adds to it.
	require.EqualError(t, fakeSafety(0).check("/tmp", fs.ModeDir),
		"cannot use /tmp: not safe to use: /tmp is writable for others; run chmod go-w /tmp")
	require.ErrorIs(t, fakeSafety(0).check("/open/nginx", 0), ErrUnsafe)
	require.EqualError(t, fakeSafety(0).check("nginx", 0), "not safe to use: nginx is not an absolute path; write it in full")
}

func TestARealPathIsChecked(t *testing.T) {
	t.Parallel()

	require.NoError(t, SafeToRun("/bin/sh"))
	require.Error(t, SafeToRun("/dev/null"))

	// The directory for temporary files is anybody's.
	shared := filepath.Join(t.TempDir(), "shared")
	require.NoError(t, os.Mkdir(shared, 0o755))
	require.NoError(t, os.Chmod(shared, 0o777))

	path := filepath.Join(shared, "nginx")
	require.NoError(t, os.WriteFile(path, nil, 0o755))
	require.ErrorIs(t, SafeToRun(path), ErrUnsafe)

	require.NoError(t, SafeDirectory("/"))
	require.NoError(t, SafeDirectory("/usr/bin/"))
	require.ErrorIs(t, SafeDirectory(shared), ErrUnsafe)
	require.EqualError(t, SafeDirectory("/bin/sh"), "cannot use /bin/sh: it is no directory; correct the path")
}
