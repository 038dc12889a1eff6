package agent

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"strconv"

	"golang.zabbix.com/sdk/plugin/comms"
)

const (
	frameHeaderBytes = 8
	// The agent's own reader takes any length that fits a positive int32; nothing sensible comes near this bound.
	maxFrameBytes = 256 << 20
	// A length is only a claim until the bytes are there: memory grows with what has arrived, in steps of this size.
	frameStepBytes = 1 << 20
)

// frame is one message as it goes over the wire: uint32 LE type (1 = JSON), uint32 LE length, JSON.
type frame []byte

// errSkippedFrame says that one frame was unusable and was skipped whole: the stream is still in step.
var errSkippedFrame = errors.New("skipped a frame")

func (f frame) payload() []byte { return f[frameHeaderBytes:] }

func newFrame(message any) (frame, error) {
	var buf bytes.Buffer

	buf.Write(make([]byte, frameHeaderBytes))

	encoder := json.NewEncoder(&buf)
	encoder.SetEscapeHTML(false)

	if err := encoder.Encode(message); err != nil {
		return nil, fmt.Errorf("cannot encode a message: %w", err)
	}

	f := frame(bytes.TrimSuffix(buf.Bytes(), []byte("\n")))
	if len(f.payload()) > maxFrameBytes {
		return nil, fmt.Errorf("cannot send a message of %d bytes: the limit is %d", len(f.payload()), maxFrameBytes)
	}

	f.putHeader()

	return f, nil
}

func (f frame) putHeader() {
	binary.LittleEndian.PutUint32(f, comms.JSONType)
	binary.LittleEndian.PutUint32(f[4:], uint32(len(f)-frameHeaderBytes))
}

// readFrame returns the next frame, or an error that wraps errSkippedFrame when only that one frame was lost.
func readFrame(r *bufio.Reader) (frame, error) {
	var header [frameHeaderBytes]byte
	if _, err := io.ReadFull(r, header[:]); err != nil {
		return nil, err
	}

	kind, length := binary.LittleEndian.Uint32(header[:]), binary.LittleEndian.Uint32(header[4:])

	if kind != comms.JSONType || length > maxFrameBytes {
		if _, err := io.CopyN(io.Discard, r, int64(length)); err != nil {
			return nil, err
		}

		return nil, fmt.Errorf("%w of type %d with %d bytes: only JSON (type 1) of at most %d bytes is read",
			errSkippedFrame, kind, length, maxFrameBytes)
	}

	f := make(frame, frameHeaderBytes, frameHeaderBytes+min(int(length), frameStepBytes))

	for missing := int(length); missing > 0; {
		have, step := len(f), min(missing, frameStepBytes)
		f = append(f, make([]byte, step)...)

		if _, err := io.ReadFull(r, f[have:]); err != nil {
			return nil, err
		}

		missing -= step
	}

	f.putHeader()

	return f, nil
}

// peek returns a message's id and type. All known agents and our own worker write these two fields first and in this
// order; any other spelling is decoded as the JSON that it is.
func (f frame) peek() (comms.Common, error) {
	if common, ok := peekPrefix(f.payload()); ok {
		return common, nil
	}

	var common comms.Common
	if err := json.Unmarshal(f.payload(), &common); err != nil {
		return comms.Common{}, fmt.Errorf("cannot read a message's id and type: %w", err)
	}

	return common, nil
}

func peekPrefix(payload []byte) (comms.Common, bool) {
	rest, ok := bytes.CutPrefix(payload, []byte(`{"id":`))
	if !ok {
		return comms.Common{}, false
	}

	id, rest, ok := cutUint32(rest)
	if !ok {
		return comms.Common{}, false
	}

	rest, ok = bytes.CutPrefix(rest, []byte(`,"type":`))
	if !ok {
		return comms.Common{}, false
	}

	kind, rest, ok := cutUint32(rest)
	if !ok || len(rest) == 0 || rest[0] != ',' && rest[0] != '}' {
		return comms.Common{}, false
	}

	return comms.Common{Id: id, Type: kind}, true
}

func cutUint32(b []byte) (uint32, []byte, bool) {
	n := 0
	for n < len(b) && '0' <= b[n] && b[n] <= '9' {
		n++
	}

	if n > 1 && b[0] == '0' {
		return 0, nil, false
	}

	v, err := strconv.ParseUint(string(b[:n]), 10, 32)

	return uint32(v), b[n:], err == nil
}
