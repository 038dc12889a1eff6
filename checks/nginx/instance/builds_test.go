package instance

import (
	"context"
	"errors"
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"syscall"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// script writes a program that tells nothing of itself unless it is run.
func script(t *testing.T, text string) string {
	t.Helper()

	path := filepath.Join(t.TempDir(), "nginx")

	// A child that another test forks meanwhile would hold the file open for writing, so that nobody may run it.
	syscall.ForkLock.RLock()
	err := os.WriteFile(path, []byte("#!/bin/sh\n"+text+"\n"), 0o755)
	syscall.ForkLock.RUnlock()
	require.NoError(t, err)

	return path
}

// answer is that of a version, in a script.
const answer = `echo "nginx version: nginx/1.9.1" >&2; echo "configure arguments: --prefix=/opt"`

func allow(string) error { return nil }

func TestAProgramsFileTellsWhatItWouldPrint(t *testing.T) {
	t.Parallel()

	fixtures, err := filepath.Glob("testdata/version/*.txt")
	require.NoError(t, err)
	require.NotEmpty(t, fixtures)

	for _, fixture := range fixtures {
		name := filepath.Base(fixture[:len(fixture)-len(".txt")])
		want, err := parseFixture(t, name)
		require.NoError(t, err)

		got, err := NewBuilds(nil).Of(t.Context(), fakeNginx(t, name))
		require.NoError(t, err, name)
		require.Equal(t, want, got, name)
	}
}

func TestAProgramThatMustBeRunIsRunWithAnEmptyEnvironment(t *testing.T) {
	t.Setenv("NGINX", "3;")

	path := script(t, `[ "$1 $# ${NGINX-none} $(pwd)" = "-V 1 none /" ] || exit 1
		[ "$(readlink /proc/self/fd/0)" = /dev/null ] || exit 2
		set -- $(cat /proc/$$/stat); [ $6 = $$ ] || exit 3
		`+answer)

	b, err := NewBuilds(allow).Of(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, "1.9.1", b.Version.String())
	require.Equal(t, "/opt", b.Prefix())
}

func TestAProgramThatMayNotBeRunIsNot(t *testing.T) {
	t.Parallel()

	path := script(t, answer)

	_, err := NewBuilds(nil).Of(t.Context(), path)
	require.EqualError(t, err, "cannot tell the version of "+path+": it does not say what it is as nginx does; check that it is nginx")

	_, err = NewBuilds(func(string) error { return ErrUnsafe }).Of(t.Context(), path)
	require.ErrorIs(t, err, ErrUnsafe)

	b, err := NewBuilds(allow).Of(t.Context(), path)
	require.NoError(t, err, "this one would have answered")
	require.Equal(t, "1.9.1", b.Version.String())
}

func TestAProgramThatMustBeRunChangesNothing(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	kept := filepath.Join(dir, "kept")
	require.NoError(t, os.WriteFile(kept, []byte("kept"), 0o600))

	_, err := NewBuilds(allow).Of(t.Context(), script(t, "touch "+dir+"/new; rm "+kept+"; echo x >"+kept+"; kill -9 "+strconv.Itoa(os.Getpid())+"; "+answer))
	require.NoError(t, err)
	require.NoFileExists(t, filepath.Join(dir, "new"))

	text, err := os.ReadFile(kept)
	require.NoError(t, err)
	require.Equal(t, "kept", string(text))
}

func TestAProgramThatAnswersNoneIsToldByWhatItDid(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct{ script, want string }{
		"an exit status":     {"echo no >&2; exit 3", `it answered -V with exit status 3 and "no"`},
		"a crash":            {"kill -SEGV $$", `it answered -V with signal: segmentation fault`},
		"something else":     {"echo Apache", "it does not say what it is as nginx does"},
		"much of nothing":    {"head -c 3000000 /dev/zero", "it does not say what it is as nginx does"},
		"a child that stays": {"sleep 600 & exit 1", "it answered -V with exit status 1"},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			_, err := NewBuilds(allow).Of(t.Context(), script(t, test.script))
			require.ErrorContains(t, err, test.want)
		})
	}
}

func TestAProgramThatHangsIsKilledWithItsChildren(t *testing.T) {
	t.Parallel()

	// Nobody else sleeps as long.
	mark := fmt.Sprintf("600.%d", time.Now().UnixNano())
	path := script(t, "sleep "+mark+" & wait")

	ctx, cancel := context.WithCancel(t.Context())
	started := make(chan bool, 1)

	go func() {
		defer cancel()

		for deadline := time.Now().Add(runLimit / 2); time.Now().Before(deadline); time.Sleep(10 * time.Millisecond) {
			if sleeps(mark) {
				started <- true

				return
			}
		}

		started <- false
	}()

	builds := NewBuilds(allow)
	_, err := builds.Of(ctx, path)
	require.ErrorContains(t, err, "it did not answer -V in time")
	require.Empty(t, builds.known, "a caller who gave up says nothing of the program")
	require.True(t, <-started, "its child did run")
	require.Eventually(t, func() bool { return !sleeps(mark) }, 10*time.Second, 10*time.Millisecond)
}

// sleeps tells whether a sleep runs for that long. One that is dead has no command line.
func sleeps(seconds string) bool {
	lines, _ := filepath.Glob("/proc/[0-9]*/cmdline")

	return slices.ContainsFunc(lines, func(path string) bool {
		line, err := os.ReadFile(path)

		return err == nil && string(line) == "sleep\x00"+seconds+"\x00"
	})
}

func TestAProgramIsLookedAtAgainOnlyWhenItsFileChanges(t *testing.T) {
	t.Parallel()

	refused := errors.New("asked again")
	asked := 0
	builds := NewBuilds(func(string) error { asked++; return refused })
	path := script(t, "true")

	for range 3 {
		_, err := builds.Of(t.Context(), path)
		require.ErrorIs(t, err, refused)
	}

	require.Equal(t, 1, asked)

	writeProgram(t, path, "nginx-1.13.0-source")
	b, err := builds.Of(t.Context(), path)
	require.NoError(t, err)
	require.Equal(t, "1.13.0", b.Version.String())

	for range maxBuilds + 1 {
		_, err := builds.Of(t.Context(), fakeNginx(t, "branded"))
		require.NoError(t, err)
	}

	require.LessOrEqual(t, len(builds.known), maxBuilds)
}

func TestWhatIsNoFileHasNoVersion(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	_, err := NewBuilds(allow).Of(t.Context(), dir)
	require.EqualError(t, err, "cannot tell the version of "+dir+": it is no file; correct its path")

	_, err = NewBuilds(allow).Of(t.Context(), dir+"/none")
	require.EqualError(t, err, "cannot tell the version of "+dir+"/none: no such file or directory; correct its path")
}
