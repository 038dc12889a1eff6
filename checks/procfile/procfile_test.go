package procfile_test

import (
	"bytes"
	"fmt"
	"os"
	"path/filepath"
	"strconv"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

func TestReadTakesTheWholeFile(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "file")

	for _, size := range []int{0, 1, 32<<10 - 1, 32 << 10, 32<<10 + 1, 1 << 20} {
		content := bytes.Repeat([]byte("x"), size)
		require.NoError(t, os.WriteFile(path, content, 0o600))

		for name, buffer := range map[string][]byte{
			"no buffer":      nil,
			"a small buffer": make([]byte, 3, 16),
			"a large buffer": make([]byte, 0, 2<<20),
		} {
			got, err := procfile.Read(path, buffer)
			require.NoError(t, err, name)
			require.True(t, bytes.Equal(content, got), "%s, %d bytes", name, size)
		}
	}
}

func TestReadGoesOnWhereTheKernelGivesPieces(t *testing.T) {
	t.Parallel()

	// vmstat comes in pieces of at most a page.
	got, err := procfile.Read("/proc/vmstat", make([]byte, 0, 64<<10))
	require.NoError(t, err)
	require.Contains(t, string(got), "\nnr_dirty ")
	require.True(t, bytes.HasSuffix(got, []byte("\n")))
}

func TestReadReusesItsBuffer(t *testing.T) {
	t.Parallel()

	buffer, err := procfile.Read("/proc/self/limits", nil)
	require.NoError(t, err)

	again, err := procfile.Read("/proc/self/limits", buffer)
	require.NoError(t, err)
	require.Same(t, &buffer[0], &again[0])
}

func TestReadFailsWithTheBareReason(t *testing.T) {
	t.Parallel()

	_, err := procfile.Read("/proc/no/such/file", nil)
	require.Equal(t, unix.ENOENT, err)

	_, err = procfile.Read(t.TempDir(), nil)
	require.Equal(t, unix.EISDIR, err)
}

func TestProblemsKeepTheFirstTen(t *testing.T) {
	t.Parallel()

	var p procfile.Problems
	require.False(t, p.Any())
	require.Nil(t, p.List())

	for i := range 12 {
		p.Addf("line %d", i)
	}

	require.True(t, p.Any())
	require.Equal(t, []string{
		"line 0", "line 1", "line 2", "line 3", "line 4", "line 5", "line 6", "line 7", "line 8", "line 9", "and 2 more",
	}, p.List())

	p.Reset()
	p.Addf("another file")
	require.Equal(t, []string{"another file"}, p.List())
}

func TestWhatAProcessSaysOfItselfIsPrintable(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]string{
		"":                         "",
		"größe":                    "größe",
		"a\nb\tc\x1b[31m":          "a?b?c?[31m",
		"a\xff\xfeb":               "a??b",
		"\u202egnp\u2066":          "?gnp?",
		"twelve bytes":             "twelve bytes",
		"thirteen char":            "thirteen cha" + procfile.CutMark,
		"a character ö at the end": "a character " + procfile.CutMark,
		"eleven and ö":             "eleven and " + procfile.CutMark,
		"\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80\x80": "????????" + procfile.CutMark,
	} {
		require.Equal(t, want, procfile.PrintableStart(text, 12), "%q", text)
	}

	require.Equal(t, procfile.CutMark, procfile.PrintableStart("ö", 1))
	require.Equal(t, procfile.CutMark, procfile.PrintableStart("ab", 0))
}

func TestQuoteIsShortAndPrintable(t *testing.T) {
	t.Parallel()

	require.Equal(t, `"a\tb\x00"`, procfile.Quote([]byte("a\tb\x00")))
	require.Equal(t, `"`+strings.Repeat("y", 80)+`"...`, procfile.Quote(bytes.Repeat([]byte("y"), 1000)))
}

func TestNumber(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]struct {
		value uint64
		next  int
	}{
		"  42 7":                {42, 4},
		"42":                    {42, 2},
		"9999999999999999999\n": {9999999999999999999, 19},
		"18446744073709551615":  {0, 20}, // might not fit, so it is left to Uint
		"  ":                    {0, 2},
		"x1":                    {0, 2},
		"":                      {0, 0},
		"-1":                    {0, 2},
	} {
		value, next := procfile.Number([]byte(text), 0)
		require.Equal(t, want.value, value, "%q", text)
		require.Equal(t, want.next, next, "%q", text)
	}
}

func FuzzUint(f *testing.F) {
	for _, seed := range []string{"", "0", "18446744073709551615", "18446744073709551616", "-1", "007", "1_0", " 1"} {
		f.Add([]byte(seed))
	}

	f.Fuzz(func(t *testing.T, digits []byte) {
		got, ok := procfile.Uint(digits)

		want, err := strconv.ParseUint(string(digits), 10, 64)
		if bytes.HasPrefix(digits, []byte("+")) {
			err = strconv.ErrSyntax
		}

		require.Equal(t, err == nil, ok)

		if ok {
			require.Equal(t, want, got)
		}

		if ok && len(digits) <= 19 {
			fast, next := procfile.Number(fmt.Appendf(nil, "  %s ", digits), 0)
			require.Equal(t, want, fast)
			require.Equal(t, len(digits)+2, next)
		}
	})
}
