// Package packet reads and writes what Zabbix's servers, proxies and agents send each other (Zabbix's manual, "Header").
package packet

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// ErrNoData is the end of a connection on which nothing came.
var ErrNoData = errors.New("the other side closed the connection without a value; look into its log")

// The header of Zabbix's protocol: "ZBXD", flags, the length of the data, and the length before compression; little endian, 4 bytes each or, in a large packet, 8.
const (
	magic          = "ZBXD"
	flagZabbix     = 0x01
	flagCompressed = 0x02
	flagLarge      = 0x04
)

// Write writes data as one packet.
func Write(w io.Writer, data []byte) error {
	_, err := w.Write(Of(data))
	return err
}

// Of returns data as one packet.
func Of(data []byte) []byte {
	packet := append([]byte(magic), flagZabbix)
	packet = binary.LittleEndian.AppendUint32(packet, uint32(len(data)))
	packet = binary.LittleEndian.AppendUint32(packet, 0)
	return append(packet, data...)
}

// Read reads one packet of at most limit bytes of data.
func Read(r io.Reader, limit int64) ([]byte, error) {
	header := make([]byte, len(magic)+1)
	if n, err := io.ReadFull(r, header); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return nil, ErrNoData
		}
		return nil, fmt.Errorf("the packet ends inside its header: %w; look into the sender's log", err)
	}
	flags := header[len(magic)]
	switch {
	case string(header[:len(magic)]) != magic || flags&flagZabbix == 0:
		return nil, fmt.Errorf("the packet starts with %q, which is not Zabbix's protocol; check address and port", header)
	case flags&flagCompressed != 0:
		return nil, errors.New("the packet is compressed, which was not asked for; check address and port")
	case flags&^(flagZabbix|flagLarge) != 0:
		return nil, fmt.Errorf("the packet has unknown flags %#02x; check address and port", flags)
	}
	width := 4
	if flags&flagLarge != 0 {
		width = 8
	}
	lengths := make([]byte, 2*width)
	if _, err := io.ReadFull(r, lengths); err != nil {
		return nil, fmt.Errorf("the packet ends inside its header: %w; look into the sender's log", err)
	}
	length := uint64(binary.LittleEndian.Uint32(lengths))
	if width == 8 {
		length = binary.LittleEndian.Uint64(lengths)
	}
	if length > uint64(limit) {
		return nil, fmt.Errorf("the packet has %d bytes, the limit is %d; raise the limit", length, limit)
	}
	// A header may lie about its length, so memory grows with what really comes.
	data, err := io.ReadAll(io.LimitReader(r, int64(length)))
	if err == nil && uint64(len(data)) < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("the packet ends after %d of %d bytes: %w; look into the sender's log", len(data), length, err)
	}
	return data, nil
}
