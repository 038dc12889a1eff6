package agent

import (
	"bufio"
	"bytes"
	"encoding/binary"
	"encoding/json"
	"errors"
	"io"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
	"golang.zabbix.com/sdk/plugin/comms"
)

// rawFrame builds a frame whose header need not tell the truth.
func rawFrame(kind, length uint32, payload string) []byte {
	raw := binary.LittleEndian.AppendUint32(nil, kind)
	raw = binary.LittleEndian.AppendUint32(raw, length)

	return append(raw, payload...)
}

func jsonFrame(payload string) []byte { return rawFrame(comms.JSONType, uint32(len(payload)), payload) }

func TestReadFrame(t *testing.T) {
	t.Parallel()

	const good = `{"id":7,"type":4}`

	tests := map[string]struct {
		stream  []byte
		want    string
		wantErr error
	}{
		"a whole frame is returned as it came": {stream: jsonFrame(good), want: good},
		"an empty payload is a frame":          {stream: jsonFrame(""), want: ""},
		"the end between frames is the end":    {stream: nil, wantErr: io.EOF},
		"a cut header is an unexpected end":    {stream: jsonFrame(good)[:5], wantErr: io.ErrUnexpectedEOF},
		"a cut payload is an unexpected end":   {stream: jsonFrame(good)[:12], wantErr: io.ErrUnexpectedEOF},
		"a length that is only a claim costs no memory and is an end": {
			stream: rawFrame(comms.JSONType, maxFrameBytes, good), wantErr: io.ErrUnexpectedEOF,
		},
		"a frame of another type is skipped": {stream: rawFrame(2, 5, "hello"), wantErr: errSkippedFrame},
		"a length beyond 2 GiB is no panic":  {stream: rawFrame(comms.JSONType, 1<<31+5, good), wantErr: io.EOF},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			f, err := readFrame(bufio.NewReader(bytes.NewReader(test.stream)))
			if test.wantErr != nil {
				require.ErrorIs(t, err, test.wantErr)

				return
			}

			require.NoError(t, err)
			require.Equal(t, test.want, string(f.payload()))
			require.Equal(t, test.stream, []byte(f))
		})
	}
}

func TestStreamStaysInStepBehindASkippedFrame(t *testing.T) {
	t.Parallel()

	stream := append(rawFrame(9, 3, "xyz"), jsonFrame(`{"id":1,"type":4}`)...)
	r := bufio.NewReader(bytes.NewReader(stream))

	_, err := readFrame(r)
	require.ErrorIs(t, err, errSkippedFrame)

	f, err := readFrame(r)
	require.NoError(t, err)
	require.JSONEq(t, `{"id":1,"type":4}`, string(f.payload()))
}

func TestNewFrameIsWhatTheSDKReads(t *testing.T) {
	t.Parallel()

	value := strings.Repeat("<20 MB & more>", 1500000)

	f, err := newFrame(exportResponse{Common: comms.Common{Id: 5, Type: comms.ExportResponseType}, Value: &value})
	require.NoError(t, err)

	var response exportResponse

	require.Equal(t, int(binary.LittleEndian.Uint32(f[4:])), len(f.payload()))
	require.NoError(t, json.Unmarshal(f.payload(), &response))
	require.Equal(t, value, *response.Value)
	require.Less(t, len(f), len(value)+100, "nothing is escaped that JSON does not ask for")
}

func TestPeek(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		payload string
		want    comms.Common
		wantErr bool
	}{
		"the usual order takes the short way": {payload: `{"id":3,"type":6,"key":"a"}`, want: comms.Common{Id: 3, Type: 6}},
		"another order is decoded":            {payload: `{"type":6,"key":"a","id":3}`, want: comms.Common{Id: 3, Type: 6}},
		"spaces are decoded":                  {payload: `{ "id" : 3, "type" : 6 }`, want: comms.Common{Id: 3, Type: 6}},
		"unknown fields are ignored":          {payload: `{"v":[1],"id":3,"type":6}`, want: comms.Common{Id: 3, Type: 6}},
		"an id over 32 bits is an error":      {payload: `{"id":4294967296,"type":6}`, wantErr: true},
		"text is an error":                    {payload: `hello`, wantErr: true},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			common, err := frame(jsonFrame(test.payload)).peek()
			require.Equal(t, test.wantErr, err != nil, "error: %v", err)
			require.Equal(t, test.want, common)
		})
	}
}

func FuzzReadFrame(f *testing.F) {
	f.Add(jsonFrame(`{"id":1,"type":6,"key":"hosting.slab.get","parameters":["5","size"],"timeout":3}`))
	f.Add(append(rawFrame(7, 4, "abcd"), jsonFrame(`{"type":5,"id":0}`)...))
	f.Add(rawFrame(1, 0xffffffff, "x"))

	f.Fuzz(func(t *testing.T, stream []byte) {
		r := bufio.NewReader(bytes.NewReader(stream))

		for {
			got, err := readFrame(r)
			if err != nil {
				if errors.Is(err, errSkippedFrame) {
					continue
				}

				return
			}

			if !bytes.Contains(stream, got) {
				t.Fatalf("read %q, which the stream %q does not hold", got, stream)
			}

			comparePeek(t, got)
		}
	})
}

// comparePeek checks that the short way of peek never differs from JSON's own reading.
func comparePeek(t *testing.T, f frame) {
	t.Helper()

	quick, ok := peekPrefix(f.payload())
	if !ok || !json.Valid(f.payload()) {
		return
	}

	var slow comms.Common

	if bytes.Count(bytes.ToLower(f.payload()), []byte(`"id"`)) > 1 || bytes.Count(bytes.ToLower(f.payload()), []byte(`"type"`)) > 1 {
		return // a repeated field has no one meaning
	}

	if err := json.Unmarshal(f.payload(), &slow); err != nil {
		return
	}

	if quick != slow {
		t.Fatalf("peek of %q: %+v, JSON says %+v", f.payload(), quick, slow)
	}
}

func FuzzDecode(f *testing.F) {
	f.Add(`{"id":1,"type":6,"key":"k","parameters":["a"],"timeout":3}`)
	f.Add(`{"id":1,"type":8,"global_options":null,"private_options":{"Name":"X","Nodes":[{"Value":null,"Line":1}]}}`)

	f.Fuzz(func(t *testing.T, payload string) {
		message := frame(jsonFrame(payload))

		request, err := decode[exportRequest](message)
		if err == nil && request.TimeoutS != nil {
			limits := newDeadlines(request.TimeoutS, globalTimeout(3))
			if limits.handler > limits.worker || limits.worker >= limits.link {
				t.Fatalf("deadlines out of order for %d s: %+v", *request.TimeoutS, limits)
			}
		}

		if _, err := decode[configureRequest](message); err != nil {
			require.ErrorContains(t, err, "cannot decode")
		}
	})
}
