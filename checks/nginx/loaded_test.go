package nginx

import (
	"os"
	"path/filepath"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// disk is a configuration of two files, and what the workers have of it.
type disk struct {
	t      *testing.T
	dir    string
	loaded loaded
	began  time.Time
}

func newDisk(t *testing.T) *disk {
	t.Helper()

	d := &disk{t: t, dir: files(t, map[string]string{"nginx.conf": "a", "vhost.conf": "b"})}
	d.reload()

	return d
}

// reload is what nginx does: new workers begin.
func (d *disk) reload() { time.Sleep(2 * settleTime); d.began = time.Now() }

func (d *disk) write(name, text string) {
	d.t.Helper()
	time.Sleep(2 * settleTime)
	require.NoError(d.t, os.WriteFile(filepath.Join(d.dir, name), []byte(text), 0o600))
}

// pending observes the directory as a test would have found it.
func (d *disk) pending(names ...string) bool {
	now := time.Now()
	f := takeFingerprintOf(d.dir, now, names...)
	c := readContents(&f, now)
	d.loaded.observe(d.began, &c)

	return !d.loaded.pendingSince.IsZero()
}

func TestAChangedFileWaitsForAReload(t *testing.T) {
	t.Parallel()

	d := newDisk(t)
	require.False(t, d.pending("nginx.conf", "vhost.conf"))

	before := time.Now()
	d.write("vhost.conf", "c")
	require.True(t, d.pending("nginx.conf", "vhost.conf"))

	since := d.loaded.pendingSince
	require.WithinRange(t, since, before, time.Now())

	d.write("nginx.conf", "c")
	require.True(t, d.pending("nginx.conf", "vhost.conf"))
	require.Equal(t, since, d.loaded.pendingSince, "the first change counts")

	d.reload()
	require.False(t, d.pending("nginx.conf", "vhost.conf"))
}

func TestWhatIsAsTheWorkersHaveItWaitsForNothing(t *testing.T) {
	t.Parallel()

	d := newDisk(t)
	require.False(t, d.pending("nginx.conf", "vhost.conf"))

	d.write("vhost.conf", "b")
	require.False(t, d.pending("nginx.conf", "vhost.conf"), "written anew with the same text")

	d.write("vhost.conf", "c")
	require.True(t, d.pending("nginx.conf", "vhost.conf"))
	d.write("vhost.conf", "b")
	require.False(t, d.pending("nginx.conf", "vhost.conf"), "taken back")
}

func TestAFileThatIsNoLongerIncludedWaitsForAReload(t *testing.T) {
	t.Parallel()

	d := newDisk(t)
	require.False(t, d.pending("nginx.conf", "vhost.conf"))
	require.True(t, d.pending("nginx.conf"))
}

// The plugin began after the change, so that it never saw what the workers took.
func TestAChangeBeforeTheFirstLookIsSeenByItsTime(t *testing.T) {
	t.Parallel()

	d := newDisk(t)
	d.write("vhost.conf", "c")
	require.True(t, d.pending("nginx.conf", "vhost.conf"))
}

func TestWhatSurroundsTheConfigurationIsNotWaitedFor(t *testing.T) {
	t.Parallel()

	for path, want := range map[string]bool{
		"/etc/nginx/nginx.conf":                       true,
		"/etc/letsencrypt/live/shop/privkey.pem":      true,
		"/usr/lib/nginx/modules/ngx_stream_module.so": false,
		"/usr/lib/x86_64-linux-gnu/libssl.so.3":       false,
		"/etc/resolv.conf":                            false,
		"/usr/lib/ssl/openssl.cnf":                    false,
		"/usr/share/zoneinfo/Europe/Prague":           false,
	} {
		require.Equal(t, want, isConfiguration(path), path)
	}
}
