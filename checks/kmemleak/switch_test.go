package kmemleak

import (
	"bytes"
	"compress/gzip"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

// hostOf is a host with an empty list, a command line and two configurations, each of which is absent where it is empty.
func hostOf(t *testing.T, line, packed, plain string) *Reader {
	t.Helper()

	r := newReader(hostWith(t, nil))
	r.proc, r.boot = t.TempDir(), t.TempDir()

	write := func(path, text string) {
		if text != "" {
			require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
			require.NoError(t, os.WriteFile(path, []byte(text), 0o600))
		}
	}

	write(filepath.Join(r.proc, "cmdline"), line)
	write(filepath.Join(r.proc, "sys/kernel/osrelease"), "6.1.0-50-test\n")
	write(filepath.Join(r.boot, "config-6.1.0-50-test"), plain)

	if packed != "" {
		var text bytes.Buffer

		to := gzip.NewWriter(&text)
		_, err := to.Write([]byte(packed))
		require.NoError(t, err)
		require.NoError(t, to.Close())
		write(filepath.Join(r.proc, "config.gz"), text.String())
	}

	return r
}

// TestAnEmptyListOfADetectorThatIsOffIsNoGoodNews is of hosts that were told to have no leaks, as nobody looked for any.
func TestAnEmptyListOfADetectorThatIsOffIsNoGoodNews(t *testing.T) {
	t.Parallel()

	const (
		quiet = "BOOT_IMAGE=/vmlinuz root=/dev/sda1 ro quiet\n"
		isOff = "CONFIG_DEBUG_KMEMLEAK=y\nCONFIG_DEBUG_KMEMLEAK_DEFAULT_OFF=y\n"
		isOn  = "CONFIG_DEBUG_KMEMLEAK=y\n# CONFIG_DEBUG_KMEMLEAK_DEFAULT_OFF is not set\n"
	)

	for name, test := range map[string]struct {
		line, packed, plain string
		available           bool
		reason              string
	}{
		"switched off":                       {"ro kmemleak=off\n", isOn, "", false, "kmemleak=off on the kernel's command line"},
		"switched off for good":              {"kmemleak=off kmemleak=on\n", isOn, "", false, "kmemleak=off on the kernel's command line"},
		"switched on":                        {"ro kmemleak=on\n", isOff, "", true, ""},
		"an option for init":                 {"ro -- kmemleak=off\n", isOn, "", true, ""},
		"off by default":                     {quiet, isOff, "", false, "start it with kmemleak=on"},
		"off by default, as /boot tells":     {quiet, "", isOff, false, "start it with kmemleak=on"},
		"on by default":                      {quiet, isOn, isOff, true, ""},
		"a kernel of which nothing is known": {quiet, "", "", true, "whether kmemleak is on cannot be told"},
		"a command line that is not there":   {"", "", isOn, true, ""},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			report, err := hostOf(t, test.line, test.packed, test.plain).Read(1)
			require.NoError(t, err)
			require.Equal(t, test.available, report.Available)
			require.Contains(t, report.Reason, test.reason)
			require.Equal(t, test.reason == "", report.Reason == "", report.Reason)
		})
	}
}

func TestAListWithObjectsIsNoDoubt(t *testing.T) {
	t.Parallel()

	r := hostOf(t, "kmemleak=off\n", "", "")
	require.NoError(t, os.WriteFile(r.path, fixture(t, "leaking-module.txt"), 0o600))

	report, err := r.Read(1)
	require.NoError(t, err)
	require.True(t, report.Available)
	require.Empty(t, report.Reason)
}
