package kernelsource

import (
	"encoding/binary"
	"slices"
	"testing"

	"github.com/stretchr/testify/require"
)

// note is an ELF note of GNU's.
func note(kind uint32, id string) []byte {
	head := binary.NativeEndian.AppendUint32(nil, 4)
	head = binary.NativeEndian.AppendUint32(head, uint32(len(id)))
	head = binary.NativeEndian.AppendUint32(head, kind)

	return append(append(head, "GNU\x00"...), append([]byte(id), 0, 0, 0)[:(len(id)+3)&^3]...)
}

func TestABuildIDIsFoundAmongNotes(t *testing.T) {
	t.Parallel()

	const gnuBuildID = 3

	linux := append(binary.NativeEndian.AppendUint32(nil, 6), 4, 0, 0, 0, 1, 1, 0, 0, 'L', 'i', 'n', 'u', 'x', 0, 0, 0, 1, 2, 3, 4)

	for name, test := range map[string]struct {
		notes []byte
		want  string
	}{
		"the only one":             {note(gnuBuildID, "\x01\x02\xff"), "0102ff"},
		"behind others":            {slices.Concat(linux, note(1, "abcdef"), note(gnuBuildID, "\x01\x02\x03\x04")), "01020304"},
		"none":                     {slices.Concat(linux, note(1, "abcd")), ""},
		"one without bytes":        {note(gnuBuildID, ""), ""},
		"one that is not whole":    {note(gnuBuildID, "abcd")[:18], ""},
		"a size beyond all bounds": {[]byte{4, 0, 0, 0, 255, 255, 255, 255, 3, 0, 0, 0, 'G', 'N', 'U', 0}, ""},
		"nothing":                  {nil, ""},
	} {
		require.Equal(t, test.want, parseBuildID(test.notes, binary.NativeEndian), name)
	}
}
