package passive

import (
	"bytes"
	"encoding/binary"
	"io"
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// serve answers one request with raw bytes and returns the server's address and what it was asked.
func serve(t *testing.T, answer []byte) (string, <-chan string) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	asked := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		request, err := readFrame(conn, 1<<20)
		if err != nil {
			return
		}
		asked <- string(request)
		_, _ = conn.Write(answer)
	}()
	return listener.Addr().String(), asked
}

func packet(flags byte, data string) []byte {
	raw := append([]byte(magic), flags)
	if flags&flagLarge != 0 {
		raw = binary.LittleEndian.AppendUint64(raw, uint64(len(data)))
		raw = binary.LittleEndian.AppendUint64(raw, 0)
	} else {
		raw = binary.LittleEndian.AppendUint32(raw, uint32(len(data)))
		raw = binary.LittleEndian.AppendUint32(raw, 0)
	}
	return append(raw, data...)
}

func TestGet(t *testing.T) {
	for name, test := range map[string]struct {
		answer []byte
		value  string
		err    string
	}{
		"a value is returned as it is":              {answer: packet(1, "42 °C\n"), value: "42 °C\n"},
		"a value may be empty":                      {answer: packet(1, "")},
		"a large packet has 64-bit lengths":         {answer: packet(5, "big"), value: "big"},
		"not supported gives the reason":            {answer: packet(1, "ZBX_NOTSUPPORTED\x00Unknown metric x"), err: "cannot get a value, the agent says: Unknown metric x"},
		"not supported may have no reason":          {answer: packet(1, "ZBX_NOTSUPPORTED"), err: "cannot get a value, the agent says: "},
		"nothing at all is no data":                 {answer: nil, err: "cannot get k: the agent closed the connection without a value; look into its log"},
		"compression is refused":                    {answer: packet(3, "x"), err: "cannot get k: the answer is compressed, which agents never do; check address and port"},
		"unknown flags are refused":                 {answer: packet(9, "x"), err: "cannot get k: the answer has unknown flags 0x09; check address and port"},
		"another protocol is named by what it says": {answer: []byte("SSH-2.0-x"), err: `cannot get k: the answer starts with "SSH-2", which is not Zabbix's protocol; check address and port`},
		"an answer above the limit is not read":     {answer: packet(1, strings.Repeat("x", 101)), err: "cannot get k: the answer has 101 bytes, the limit is 100; raise the client's limit"},
		"an answer may stop in its data":            {answer: packet(1, "whole")[:15], err: "cannot get k: the answer ends after 2 of 5 bytes: unexpected EOF; look into the agent's log"},
		"an answer may stop in its header":          {answer: packet(1, "whole")[:8], err: "cannot get k: the answer ends inside its header: unexpected EOF; look into the agent's log"},
	} {
		t.Run(name, func(t *testing.T) {
			address, asked := serve(t, test.answer)
			value, err := Client{Address: address, Limit: 100, Timeout: 10 * time.Second}.Get("k")
			require.Equal(t, "k", <-asked)
			require.Equal(t, test.value, value)
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestNotSupportedIsTyped(t *testing.T) {
	address, _ := serve(t, packet(1, "ZBX_NOTSUPPORTED\x00Oops."))
	_, err := Client{Address: address}.Get("k")
	var reason *NotSupported
	require.ErrorAs(t, err, &reason)
	require.Equal(t, NotSupported{Reason: "Oops."}, *reason)
}

func TestGetTimeout(t *testing.T) {
	for name, test := range map[string]struct{ answer, value, err string }{
		"a value":            {answer: `{"version":"7.0.9","variant":2,"data":[{"value":"1"}]}`, value: "1"},
		"an item's error":    {answer: `{"data":[{"error":"Oops."}]}`, err: "cannot get a value, the agent says: Oops."},
		"a request's error":  {answer: `{"error":"cannot parse"}`, err: "cannot get a value, the agent says: cannot parse"},
		"no value":           {answer: `{"data":[{"value":null}]}`, err: "cannot get k[a,\"b\"]: the agent closed the connection without a value; look into its log"},
		"too many values":    {answer: `{"data":[{"value":"1"},{"value":"2"}]}`, err: "cannot understand the answer to k[a,\"b\"]: 2 values for one key; look into the agent's log"},
		"an answer in plain": {answer: `ZBX_NOTSUPPORTED`, err: "cannot understand the answer to k[a,\"b\"]: invalid character 'Z' looking for beginning of value; ask agent 7.0 or later"},
	} {
		t.Run(name, func(t *testing.T) {
			address, asked := serve(t, packet(1, test.answer))
			value, err := Client{Address: address}.GetTimeout(`k[a,"b"]`, 7)
			require.JSONEq(t, `{"request":"passive checks","data":[{"key":"k[a,\"b\"]","timeout":7}]}`, <-asked)
			require.Equal(t, test.value, value)
			if test.err != "" {
				require.EqualError(t, err, test.err)
				return
			}
			require.NoError(t, err)
		})
	}
}

func TestAnAgentThatNeverAnswersIsGivenUpAtTheDeadline(t *testing.T) {
	listener, err := net.Listen("tcp", "127.0.0.1:0")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, listener.Close()) })
	started := time.Now()
	_, err = Client{Address: listener.Addr().String(), Timeout: 50 * time.Millisecond}.Get("k")
	var timeout net.Error
	require.ErrorAs(t, err, &timeout)
	require.True(t, timeout.Timeout())
	require.Less(t, time.Since(started), 5*time.Second)
}

func TestNobodyListeningSaysWhere(t *testing.T) {
	_, err := Client{Address: "127.0.0.1:1"}.Get("k")
	require.EqualError(t, err, "cannot reach the agent at 127.0.0.1:1: dial tcp 127.0.0.1:1: connect: connection refused; check that it runs")
}

func FuzzReadFrame(f *testing.F) {
	f.Add(packet(1, "value"))
	f.Add(packet(5, "value"))
	f.Add(packet(3, "value"))
	f.Add([]byte("ZBXD\x05\xff\xff\xff\xff\xff\xff\xff\xff\x00\x00\x00\x00\x00\x00\x00\x00"))
	f.Add([]byte("ZBXD\x01\xff\xff\xff\x7f\x00\x00\x00\x00x"))
	f.Fuzz(func(t *testing.T, raw []byte) {
		rest := bytes.NewReader(raw)
		data, err := readFrame(rest, 1<<16)
		if err != nil {
			require.Nil(t, data)
			return
		}
		var again bytes.Buffer
		require.NoError(t, writeFrame(&again, data))
		same, err := readFrame(&again, 1<<16)
		require.NoError(t, err)
		require.Equal(t, data, same)
		_, err = io.Copy(io.Discard, rest)
		require.NoError(t, err)
	})
}
