package passive

import (
	"encoding/binary"
	"errors"
	"fmt"
	"io"
)

// The header of Zabbix's protocol: "ZBXD", flags, the length of the data, and the length before compression; little endian, 4 bytes each or, in a large packet, 8.
const (
	magic          = "ZBXD"
	flagZabbix     = 0x01
	flagCompressed = 0x02
	flagLarge      = 0x04
)

// writeFrame writes data as one packet.
func writeFrame(w io.Writer, data []byte) error {
	packet := append([]byte(magic), flagZabbix)
	packet = binary.LittleEndian.AppendUint32(packet, uint32(len(data)))
	packet = binary.LittleEndian.AppendUint32(packet, 0)
	_, err := w.Write(append(packet, data...))
	return err
}

// readFrame reads one packet of at most limit bytes of data.
func readFrame(r io.Reader, limit int64) ([]byte, error) {
	header := make([]byte, len(magic)+1)
	if n, err := io.ReadFull(r, header); err != nil {
		if n == 0 && errors.Is(err, io.EOF) {
			return nil, errNoData
		}
		return nil, fmt.Errorf("the answer ends inside its header: %w; look into the agent's log", err)
	}
	flags := header[len(magic)]
	switch {
	case string(header[:len(magic)]) != magic || flags&flagZabbix == 0:
		return nil, fmt.Errorf("the answer starts with %q, which is not Zabbix's protocol; check address and port", header)
	case flags&flagCompressed != 0:
		return nil, errors.New("the answer is compressed, which agents never do; check address and port")
	case flags&^(flagZabbix|flagLarge) != 0:
		return nil, fmt.Errorf("the answer has unknown flags %#02x; check address and port", flags)
	}
	width := 4
	if flags&flagLarge != 0 {
		width = 8
	}
	lengths := make([]byte, 2*width)
	if _, err := io.ReadFull(r, lengths); err != nil {
		return nil, fmt.Errorf("the answer ends inside its header: %w; look into the agent's log", err)
	}
	length := uint64(binary.LittleEndian.Uint32(lengths))
	if width == 8 {
		length = binary.LittleEndian.Uint64(lengths)
	}
	if length > uint64(limit) {
		return nil, fmt.Errorf("the answer has %d bytes, the limit is %d; raise the client's limit", length, limit)
	}
	// A header may lie about its length, so memory grows with what really comes.
	data, err := io.ReadAll(io.LimitReader(r, int64(length)))
	if err == nil && uint64(len(data)) < length {
		err = io.ErrUnexpectedEOF
	}
	if err != nil {
		return nil, fmt.Errorf("the answer ends after %d of %d bytes: %w; look into the agent's log", len(data), length, err)
	}
	return data, nil
}
