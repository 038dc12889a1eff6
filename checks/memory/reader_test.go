package memory_test

import (
	"encoding/json"
	"fmt"
	"io/fs"
	"os"
	"path/filepath"
	"sync"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/memory"
)

func TestReportOfEachKernel(t *testing.T) {
	t.Parallel()

	for _, kernel := range []string{"2.6.32", "4.15", "6.12", "6.18"} {
		t.Run(kernel, func(t *testing.T) {
			t.Parallel()

			m, err := memory.NewReader(filepath.Join("testdata", kernel)).Read()
			require.NoError(t, err)

			got, err := json.Marshal(m.Report())
			require.NoError(t, err)

			want, err := os.ReadFile(filepath.Join("testdata", kernel, "report.json"))
			require.NoError(t, err)
			require.JSONEq(t, string(want), string(got))
		})
	}
}

func TestReportOfTheRunningKernel(t *testing.T) {
	t.Parallel()

	m, err := memory.NewReader("/proc").Read()
	require.NoError(t, err)

	r := m.Report()
	require.Nil(t, r.Problems)
	require.NotNil(t, r.UnexplainedBytes)
	require.Greater(t, *r.TotalBytes, *r.FreeBytes)
	require.Greater(t, *r.KernelBytes, *r.SlabBytes)
	require.LessOrEqual(t, *r.UnexplainedBytes, *r.TotalBytes)
	require.InDelta(t, float64(*r.SlabBytes), float64(*r.SUnreclaimBytes+*r.SReclaimableBytes), 1<<20)
}

func TestReadFailures(t *testing.T) {
	t.Parallel()

	t.Run("a proc that is not there", func(t *testing.T) {
		t.Parallel()

		folder := filepath.Join(t.TempDir(), "proc")
		_, err := memory.NewReader(folder).Read()
		require.ErrorIs(t, err, fs.ErrNotExist)
		require.EqualError(t, err, "cannot read "+folder+
			"/meminfo: no such file or directory; mount proc there and let this user read it")
	})

	t.Run("an empty file", func(t *testing.T) {
		t.Parallel()

		folder := t.TempDir()
		require.NoError(t, os.WriteFile(filepath.Join(folder, "meminfo"), nil, 0o600))

		_, err := memory.NewReader(folder).Read()
		require.EqualError(t, err, "cannot understand "+folder+
			"/meminfo: it holds no field; mount proc there")
	})

	t.Run("a folder in place of the file", func(t *testing.T) {
		t.Parallel()

		folder := t.TempDir()
		require.NoError(t, os.Mkdir(filepath.Join(folder, "meminfo"), 0o700))

		_, err := memory.NewReader(folder).Read()
		require.ErrorContains(t, err, "/meminfo: is a directory; ")
	})
}

func TestReadingsDoNotDisturbOneAnother(t *testing.T) {
	t.Parallel()

	folder := t.TempDir()
	path := filepath.Join(folder, "meminfo")
	reader := memory.NewReader(folder)
	require.NoError(t, os.WriteFile(path, []byte("A: 1 kB\nB: 2 kB\nC: 3 kB\n"), 0o600))

	first, err := reader.Read()
	require.NoError(t, err)

	require.NoError(t, os.WriteFile(path, []byte("A: 7 kB\nX: 8 kB\nC: 9 kB\n"), 0o600))

	second, err := reader.Read()
	require.NoError(t, err)

	require.Equal(t, map[string]uint64{"A": 1024, "B": 2048, "C": 3072}, first.Report().Meminfo)
	require.Equal(t, map[string]uint64{"A": 7168, "X": 8192, "C": 9216}, second.Report().Meminfo)
}

func TestReaderServesManyAtOnce(t *testing.T) {
	t.Parallel()

	reader := memory.NewReader("testdata/6.18")

	var all sync.WaitGroup
	for range 8 {
		all.Go(func() {
			for range 50 {
				m, err := reader.Read()
				if err != nil || m.Report().SlabBytes == nil {
					t.Errorf("cannot read: %v", err)
				}
			}
		})
	}

	all.Wait()
}

// BenchmarkReadInto is what a caller pays that keeps its Meminfo.
func BenchmarkReadInto(b *testing.B) {
	reader := memory.NewReader("/proc")

	var m memory.Meminfo

	b.ReportAllocs()

	for b.Loop() {
		if err := reader.ReadInto(&m); err != nil {
			b.Fatal(err)
		}
	}
}

func ExampleReader() {
	m, err := memory.NewReader("testdata/6.12").Read()
	if err != nil {
		fmt.Println(err)

		return
	}

	unreclaimable, _ := m.Bytes("SUnreclaim")
	fmt.Printf("SUnreclaim: %d bytes, %.2f %% of RAM\n", unreclaimable, m.Percent(unreclaimable))
	// Output: SUnreclaim: 36483072 bytes, 0.92 % of RAM
}
