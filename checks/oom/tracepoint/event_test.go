package tracepoint

import (
	"encoding/binary"
	"os"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// raw is a record in which each field has a value of its own.
func raw(found bool) []byte {
	record := make([]byte, recordSize)

	for at, value := range map[int]uint64{atTime: 5e9, atCgroup: 4711, atTotalVM: 8, atAnon: 3, atFile: 2, atShmem: ^uint64(0), atPageTables: 12288} {
		binary.NativeEndian.PutUint64(record[at:], value)
	}

	for at, value := range map[int]uint32{atPID: 7, atUID: 33, atTriggerPID: 9} {
		binary.NativeEndian.PutUint32(record[at:], value)
	}

	if found {
		record[atFound] = 1
	}

	adj := int16(-17)
	binary.NativeEndian.PutUint16(record[atAdj:], uint16(adj))
	copy(record[atName:], "nginx\x00old")
	copy(record[atTrigger:], "a name of 16 byte")

	return record
}

func TestARecordIsUnderstood(t *testing.T) {
	t.Parallel()

	page := uint64(os.Getpagesize())
	whole := Event{
		At: 5 * time.Second, PID: 7, Name: "nginx", UID: new(33), CgroupID: 4711, OOMScoreAdj: new(-17), TotalVMBytes: new(8 * page), AnonBytes: new(3 * page),
		FileBytes: new(2 * page), ShmemBytes: new(uint64(0)), PageTablesBytes: new(uint64(12288)), Trigger: "a name of 16 byt", TriggerPID: 9,
	}
	bare := whole
	bare.CgroupID, bare.TotalVMBytes, bare.AnonBytes, bare.FileBytes, bare.ShmemBytes, bare.PageTablesBytes = 0, nil, nil, nil, nil, nil

	for name, c := range map[string]struct {
		layout layout
		raw    []byte
		want   Event
		ok     bool
	}{
		"a whole one":                          {layout{memory: true, cgroups: true}, raw(true), whole, true},
		"a kernel that keeps things elsewhere": {layout{}, raw(true), bare, true},
		"a victim that was not found":          {layout{memory: true, cgroups: true}, raw(false), Event{At: 5 * time.Second, PID: 7, Trigger: "a name of 16 byt", TriggerPID: 9}, true},
		"a record that is cut":                 {layout{}, raw(true)[1:], Event{}, false},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, ok := c.layout.parse(c.raw)
			require.Equal(t, c.ok, ok)
			require.Equal(t, c.want, got)
		})
	}
}

func FuzzRecord(f *testing.F) {
	f.Add(raw(true), true)
	f.Add(raw(false), false)

	f.Fuzz(func(t *testing.T, data []byte, known bool) {
		l := layout{memory: known, cgroups: known}
		if e, ok := l.parse(data); ok {
			require.LessOrEqual(t, len(e.Name), nameSize)
			require.LessOrEqual(t, len(e.Trigger), nameSize)
		}
	})
}
