package scripted

import (
	"encoding/binary"
	"encoding/json"
	"fmt"
	"io"
)

// Message types.
const (
	Log              = 1
	RegisterRequest  = 2
	RegisterResponse = 3
	StartRequest     = 4
	TerminateRequest = 5
	ExportRequest    = 6
	ExportResponse   = 7
	Configure        = 8
	ValidateRequest  = 9
	ValidateResponse = 10
)

// longestFrame keeps a garbled length from taking the machine's memory.
const longestFrame = 256 << 20

// Frame is a message from the plugin.
type Frame struct {
	ID         uint32          `json:"id"`
	Type       uint32          `json:"type"`
	Name       string          `json:"name"`
	Metrics    []string        `json:"metrics"`
	Interfaces uint32          `json:"interfaces"`
	Value      json.RawMessage `json:"value"`
	Error      string          `json:"error"`
	Severity   uint32          `json:"severity"`
	Message    string          `json:"message"`
}

// RawFrame is a frame with any header: messages have the frame type 1 and the length of their data.
func RawFrame(frameType, length uint32, data []byte) []byte {
	frame := binary.LittleEndian.AppendUint32(nil, frameType)
	return append(binary.LittleEndian.AppendUint32(frame, length), data...)
}

func readFrame(r io.Reader) (Frame, error) {
	var frame Frame
	header := make([]byte, 8)
	if _, err := io.ReadFull(r, header); err != nil {
		return frame, err
	}
	if frameType := binary.LittleEndian.Uint32(header); frameType != 1 {
		return frame, fmt.Errorf("frame type %d is not 1", frameType)
	}
	length := binary.LittleEndian.Uint32(header[4:])
	if length > longestFrame {
		return frame, fmt.Errorf("a frame of %d bytes is above %d", length, longestFrame)
	}
	data := make([]byte, length)
	if _, err := io.ReadFull(r, data); err != nil {
		return frame, err
	}
	return frame, json.Unmarshal(data, &frame)
}
