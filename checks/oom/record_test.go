package oom

import (
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

func splitLines(data []byte) []string { return strings.Split(string(data), "\n") }

func TestParseRecord(t *testing.T) {
	t.Parallel()

	cases := map[string]struct {
		data string
		want record
		ok   bool
	}{
		"a record of the kernel": {
			data: "4,339,901503487,-;tail invoked oom-killer: order=0\n",
			want: record{sequence: 339, sinceBoot: 901503487 * time.Microsecond, byKernel: true, text: "tail invoked oom-killer: order=0"},
			ok:   true,
		},
		"properties are left out": {
			data: "5,335,1280661,-;virtio_blk: new size\n SUBSYSTEM=virtio\n DEVICE=+virtio:virtio1\n",
			want: record{sequence: 335, sinceBoot: 1280661 * time.Microsecond, byKernel: true, text: "virtio_blk: new size"},
			ok:   true,
		},
		"further fields are left out": {
			data: "6,1,2,c,caller=T1,more;text;with;semicolons",
			want: record{sequence: 1, sinceBoot: 2 * time.Microsecond, byKernel: true, continues: true, text: "text;with;semicolons"},
			ok:   true,
		},
		"a record of a process": {
			data: "14,7,8,-;systemd[1]: hello\n",
			want: record{sequence: 7, sinceBoot: 8 * time.Microsecond, text: "systemd[1]: hello"},
			ok:   true,
		},
		"escapes are undone, broken ones stay": {
			data: `6,1,2,-;a\x09b\x5cx41\xzz\x4`,
			want: record{sequence: 1, sinceBoot: 2 * time.Microsecond, byKernel: true, text: "a\tb\\x41\\xzz\\x4"},
			ok:   true,
		},
		"no text at all":          {data: "6,1,2,-\n"},
		"too few fields":          {data: "6,1,2;x"},
		"a negative priority":     {data: "-6,1,2,-;x"},
		"a sequence of letters":   {data: "6,x,2,-;x"},
		"a time of letters":       {data: "6,1,x,-;x"},
		"a time beyond all sense": {data: "6,1,18446744073709551615,-;x"},
		"nothing":                 {},
	}

	for name, c := range cases {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			got, ok := parseRecord([]byte(c.data))
			require.Equal(t, c.ok, ok)
			require.Equal(t, c.want, got)
		})
	}
}

func FuzzParseRecord(f *testing.F) {
	f.Add([]byte("4,339,901503487,-;tail invoked oom-killer\n SUBSYSTEM=x\n"))
	f.Add([]byte(`14,1,2,c,caller=T1;\x0a\xff\x`))
	f.Add([]byte("6,18446744073709551615,3153600000000000,+;"))

	f.Fuzz(func(t *testing.T, data []byte) {
		r, ok := parseRecord(data)
		if !ok {
			require.Equal(t, record{}, r)

			return
		}

		require.GreaterOrEqual(t, r.sinceBoot, time.Duration(0))
		require.LessOrEqual(t, len(r.text), len(data))
	})
}
