package passive

import (
	"net"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/packet"
)

func TestGet(t *testing.T) {
	for name, test := range map[string]struct {
		answer []byte
		value  string
		err    string
	}{
		"a value is returned as it is":          {answer: packet.Of([]byte("42 °C\n")), value: "42 °C\n"},
		"a value may be empty":                  {answer: packet.Of([]byte(""))},
		"not supported gives the reason":        {answer: packet.Of([]byte("ZBX_NOTSUPPORTED\x00Unknown metric x")), err: "cannot get a value, the agent says: Unknown metric x"},
		"not supported may have no reason":      {answer: packet.Of([]byte("ZBX_NOTSUPPORTED")), err: "cannot get a value, the agent says: "},
		"nothing at all is no data":             {answer: nil, err: "cannot get k: the other side closed the connection without a value; look into its log"},
		"an answer above the limit is not read": {answer: packet.Of([]byte(strings.Repeat("x", 101))), err: "cannot get k: the packet has 101 bytes, the limit is 100; raise the limit"},
	} {
		t.Run(name, func(t *testing.T) {
			address, asked := packet.ServeOnce(t, test.answer)
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
	address, _ := packet.ServeOnce(t, packet.Of([]byte("ZBX_NOTSUPPORTED\x00Oops.")))
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
		"no value":           {answer: `{"data":[{"value":null}]}`, err: "cannot get k[a,\"b\"]: the other side closed the connection without a value; look into its log"},
		"too many values":    {answer: `{"data":[{"value":"1"},{"value":"2"}]}`, err: "cannot understand the answer to k[a,\"b\"]: 2 values for one key; look into the agent's log"},
		"an answer in plain": {answer: `ZBX_NOTSUPPORTED`, err: "cannot understand the answer to k[a,\"b\"]: invalid character 'Z' looking for beginning of value; ask agent 7.0 or later"},
	} {
		t.Run(name, func(t *testing.T) {
			address, asked := packet.ServeOnce(t, packet.Of([]byte(test.answer)))
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
