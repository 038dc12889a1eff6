package packet

import (
	"bytes"
	"encoding/binary"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func raw(flags byte, data string) []byte {
	packet := append([]byte(magic), flags)
	if flags&flagLarge != 0 {
		packet = binary.LittleEndian.AppendUint64(packet, uint64(len(data)))
		packet = binary.LittleEndian.AppendUint64(packet, 0)
	} else {
		packet = binary.LittleEndian.AppendUint32(packet, uint32(len(data)))
		packet = binary.LittleEndian.AppendUint32(packet, 0)
	}
	return append(packet, data...)
}

func TestRead(t *testing.T) {
	for name, test := range map[string]struct {
		packet    []byte
		data, err string
	}{
		"data is returned as it is":                 {packet: raw(1, "42 °C\n"), data: "42 °C\n"},
		"data may be empty":                         {packet: raw(1, "")},
		"a large packet has 64-bit lengths":         {packet: raw(5, "big"), data: "big"},
		"nothing at all is no data":                 {err: ErrNoData.Error()},
		"compression is refused":                    {packet: raw(3, "x"), err: "the packet is compressed, which was not asked for; check address and port"},
		"unknown flags are refused":                 {packet: raw(9, "x"), err: "the packet has unknown flags 0x09; check address and port"},
		"another protocol is named by what it says": {packet: []byte("SSH-2.0-x"), err: `the packet starts with "SSH-2", which is not Zabbix's protocol; check address and port`},
		"a packet above the limit is not read":      {packet: raw(1, strings.Repeat("x", 101)), err: "the packet has 101 bytes, the limit is 100; raise the limit"},
		"a packet may stop in its data":             {packet: raw(1, "whole")[:15], err: "the packet ends after 2 of 5 bytes: unexpected EOF; look into the sender's log"},
		"a packet may stop in its header":           {packet: raw(1, "whole")[:8], err: "the packet ends inside its header: unexpected EOF; look into the sender's log"},
		"a packet may stop in its first bytes":      {packet: []byte("ZB"), err: "the packet ends inside its header: unexpected EOF; look into the sender's log"},
	} {
		t.Run(name, func(t *testing.T) {
			data, err := Read(bytes.NewReader(test.packet), 100)
			require.Equal(t, test.data, string(data))
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
		})
	}
}

func FuzzRead(f *testing.F) {
	f.Add(raw(1, "value"))
	f.Add(raw(5, "value"))
	f.Add(raw(3, "value"))
	f.Add([]byte("ZBXD\x05\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("ZBXD\x01\xff\xff\xff\x7f\x00\x00\x00\x00x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rest := bytes.NewReader(raw)
		data, err := Read(rest, 1<<16)
		if err != nil {
			require.Nil(t, data)
			return
		}
		var again bytes.Buffer
		require.NoError(t, Write(&again, data))
		same, err := Read(&again, 1<<16)
		require.NoError(t, err)
		require.Equal(t, data, same)
		_, err = io.Copy(io.Discard, rest)
		require.NoError(t, err)
	})
}
