package kernelsource

import (
	"fmt"
	"maps"
	"os"
	"slices"
	"sync"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/debugkernel"
)

func finderOf(h debugkernel.Host) *Finder { return New(h.Root, h.ProcPath, h.SysPath) }

// said are the lines that a finder tells of frames, one by one.
func said(lines Lines, frames []string) map[string]string {
	all := make(map[string]string)
	for i, line := range lines.Of(frames) {
		all[frames[i]] = line
	}

	return all
}

func TestLinesAreThoseOfBinutils(t *testing.T) {
	t.Parallel()

	for _, name := range debugkernel.Names(t) {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			want := debugkernel.Lines(t, name)
			require.Greater(t, len(want), 100)

			frames := slices.Sorted(maps.Keys(want))
			lines := finderOf(debugkernel.Installed(t, name)).Find(time.Minute, frames)
			require.Empty(t, lines.Reason)
			require.Equal(t, want, said(lines, frames))
		})
	}
}

const kernel = "amd64-dwarf5"

// Frames of that kernel, and what they are in.
const (
	inKernel, kernelLine = "use_first+0x10/0x1a", "mm/slab_common.c:18"
	inModule, moduleLine = "leak_cache+0x8/0x29 [leakmod]", "drivers/leakmod.c:7"
)

func TestAStackHasAsManyLinesAsFrames(t *testing.T) {
	t.Parallel()

	lines := finderOf(debugkernel.Installed(t, kernel)).Find(time.Minute, []string{"gone+0x1/0x2", inKernel}, []string{inModule})
	require.Empty(t, lines.Reason)
	require.Equal(t, []string{moduleLine, "", kernelLine, ""}, lines.Of([]string{inModule, "0xffffffffc03f8077", inKernel, "gone+0x1/0x2"}))
	require.Nil(t, lines.Of([]string{"gone+0x1/0x2"}))
	require.Nil(t, lines.Of(nil))
}

func TestFoundLinesAreRememberedAndTheFilesNotReadAgain(t *testing.T) {
	t.Parallel()

	host := debugkernel.Installed(t, kernel)
	finder := finderOf(host)
	frames := []string{inKernel, inModule, "gone+0x1/0x2"}
	first := finder.Find(time.Minute, frames)
	require.Equal(t, []string{kernelLine, moduleLine, ""}, first.Of(frames))

	require.NoError(t, os.Truncate(host.Kernel(), 0))
	require.NoError(t, os.Remove(host.Module()))
	require.Equal(t, first, finder.Find(time.Minute, frames))

	// Another build of the module has other lines.
	debugkernel.Write(t, host.BuildID("leakmod"), note(3, "abc"))
	again := finder.Find(time.Minute, frames)
	require.Equal(t, []string{kernelLine, "", ""}, again.Of(frames))
	require.Equal(t, "debug symbols are not installed of leakmod", again.Reason)
}

func TestNoMoreThanABoundIsRemembered(t *testing.T) {
	t.Parallel()

	finder := finderOf(debugkernel.Installed(t, kernel))

	for round := range 4 {
		var frames []string
		for i := range maxKnown / 3 {
			frames = append(frames, fmt.Sprintf("gone_%d_%d+0x1", round, i))
		}

		finder.Find(time.Minute, frames)
		require.LessOrEqual(t, len(finder.known), maxKnown)
	}
}

func TestWhatIsNotFoundInTimeIsFoundWhenAskedAgain(t *testing.T) {
	t.Parallel()

	want := debugkernel.Lines(t, kernel)
	frames := slices.Sorted(maps.Keys(want))
	finder := finderOf(debugkernel.Installed(t, kernel))

	first := finder.Find(0, frames)
	require.Equal(t, "it takes longer than a report may: the next has more", first.Reason)

	for range frames {
		finder.Find(0, []string{inKernel})
		finder.Find(time.Millisecond, frames)
	}

	require.Equal(t, want, said(finder.Find(time.Millisecond, frames), frames))
}

func TestManyMayAskAtOnce(t *testing.T) {
	t.Parallel()

	finder := finderOf(debugkernel.Installed(t, kernel))

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			got := finder.Find(time.Minute, []string{inKernel, inModule}).Of([]string{inKernel, inModule})
			if !slices.Equal(got, []string{kernelLine, moduleLine}) {
				t.Error(got)
			}
		})
	}

	all.Wait()
}

// A host without debug symbols pays for nothing: this is what each value takes there.
func BenchmarkNothingInstalled(b *testing.B) {
	finder := finderOf(debugkernel.Bare(b, kernel))

	for b.Loop() {
		finder.Find(time.Minute, []string{inKernel, inModule})
	}
}
