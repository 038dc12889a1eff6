package kernelsource

import (
	"encoding/binary"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestNumbersOfAnyLengthAreRead(t *testing.T) {
	t.Parallel()

	for name, test := range map[string]struct {
		content []byte
		number  uint64
		signed  int64
		short   bool
	}{
		"zero":                      {[]byte{0}, 0, 0, false},
		"one byte":                  {[]byte{0x3f}, 63, 63, false},
		"one byte with the sign":    {[]byte{0x7f}, 127, -1, false},
		"two bytes":                 {[]byte{0x80, 0x01}, 128, 128, false},
		"two bytes with the sign":   {[]byte{0x80, 0x7f}, 16256, -128, false},
		"longer than it need be":    {[]byte{0x81, 0x80, 0x00}, 1, 1, false},
		"one that does not end":     {[]byte{0x80, 0x80}, 0, 0, true},
		"none":                      {nil, 0, 0, true},
		"longer than any number is": {[]byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x01}, 0, 0, true},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			c := cursor{rest: test.content, order: binary.LittleEndian}
			require.Equal(t, test.number, c.leb())
			require.Equal(t, test.short, c.short)

			c = cursor{rest: test.content, order: binary.LittleEndian}
			signed := c.signed()
			require.Equal(t, test.short, c.short)

			if !test.short {
				require.Equal(t, test.signed, int64(signed))
			}
		})
	}

	// The smallest number takes ten bytes, and as one without a sign it would be none.
	smallest := cursor{rest: []byte{0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f}, order: binary.LittleEndian}
	require.Equal(t, int64(-1<<63), int64(smallest.signed()))
	require.False(t, smallest.short)
}

// In the unit of arm64's mm/mmu.c a kind of entries has the smallest number there is as its value.
func TestAKindIsFoundBehindOneWithTheSmallestNumber(t *testing.T) {
	t.Parallel()

	const dataMember, constValue, enumeration = 0x0d, 0x1c, 0x28

	content := []byte{1, enumeration, 0, constValue, formImplicit, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x7f, 0, 0, 2, dataMember, 0, 3, formData1, 0, 0, 0}
	kinds := cursor{rest: content, order: binary.LittleEndian}
	require.NoError(t, skipKinds(&kinds, 2))
	require.Equal(t, []byte{3, formData1, 0, 0, 0}, kinds.rest)

	kinds = cursor{rest: content, order: binary.LittleEndian}
	require.ErrorIs(t, skipKinds(&kinds, 3), errUnit)
}
