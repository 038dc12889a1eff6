package kernelsource

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestAFrameIsReadAsTheKernelWritesIt(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]frame{
		"kmalloc_trace+0x21/0x90":                   {function: "kmalloc_trace", offset: 0x21, size: 0x90},
		"sock_alloc_inode+0x1d":                     {function: "sock_alloc_inode", offset: 0x1d},
		"leak_cache+0x24/0x70 [leakmod]":            {function: "leak_cache", module: "leakmod", offset: 0x24, size: 0x70},
		"leak_cache+0x24 [leakmod]":                 {function: "leak_cache", module: "leakmod", offset: 0x24},
		"leak_cache+0x24/0x70 [leakmod 70aa99beef]": {function: "leak_cache", module: "leakmod", offset: 0x24, size: 0x70},
		"reset.cold+0x5a/0x6b":                      {function: "reset.cold", offset: 0x5a, size: 0x6b},
		"cmpxchg.constprop.0.isra.0+0x49/0xcd":      {function: "cmpxchg.constprop.0.isra.0", offset: 0x49, size: 0xcd},
		"foo+0x90/0x90":                             {function: "foo", offset: 0x90, size: 0x90},
		"0xffffffffc03f8077":                        {},
		"foo":                                       {},
		"+0x1/0x2":                                  {},
		"foo+0x0/0x90":                              {},
		"foo+0x91/0x90":                             {},
		"foo+0xzz/0x90":                             {},
		"foo+0x1/0xzz":                              {},
		"foo+0x1ffffffff":                           {},
		"foo+0x1/0x2 [../../etc]":                   {},
		"foo+0x1/0x2 []":                            {},
		"":                                          {},
	} {
		got, ok := parseFrame(text)
		require.Equal(t, want, got, text)
		require.Equal(t, want != frame{}, ok, text)
	}
}

func TestOfFunctionsOfOneNameTheSizeTells(t *testing.T) {
	t.Parallel()

	small, large := symbol{0x1000, 0x22}, symbol{0x2000, 0x7a}

	for name, test := range map[string]struct {
		frame frame
		all   []symbol
		want  uint64
	}{
		"the only one": {frame{offset: 4}, []symbol{small}, 0x1003},
		"the only one, with the padding behind it": {frame{offset: 4, size: 0x30}, []symbol{small}, 0x1003},
		"the only one, without a size of its own":  {frame{offset: 4, size: 0x30}, []symbol{{0x1000, 0}}, 0x1003},
		"at its end, behind a call of no return":   {frame{offset: 0x22, size: 0x30}, []symbol{small}, 0x1021},
		"behind its end":                           {frame{offset: 0x23}, []symbol{small}, 0},
		"larger than the kernel says":              {frame{offset: 4, size: 0x20}, []symbol{small}, 0},
		"the smaller":                              {frame{offset: 4, size: 0x30}, []symbol{small, large}, 0x1003},
		"the larger":                               {frame{offset: 4, size: 0x80}, []symbol{small, large}, 0x2003},
		"two of about the same size":               {frame{offset: 4, size: 0x30}, []symbol{small, {0x3000, 0x24}}, 0},
		"two, and the frame tells no size":         {frame{offset: 4}, []symbol{small, large}, 0},
		"two, of which one is too short for it":    {frame{offset: 0x40}, []symbol{small, large}, 0},
		"none":                                     {frame{offset: 4}, nil, 0},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			call, ok := test.frame.choose(test.all)
			if test.want == 0 {
				require.False(t, ok)

				return
			}

			require.Equal(t, test.want, call)
			require.True(t, ok)
		})
	}
}
