package zabbixapi

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// The real API is tested with real servers; these are its faults, and what is told apart by version.

// api answers each call but that for the version with the same, and tells the last request's body and header.
func api(t *testing.T, version, answer string) (c *Client, body, authorization *string) {
	t.Helper()
	body, authorization = new(string), new(string)
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		if err != nil {
			return
		}
		if strings.Contains(string(data), `"apiinfo.version"`) {
			fmt.Fprintf(w, `{"jsonrpc":"2.0","result":%q,"id":1}`, version)
			return
		}
		*body, *authorization = string(data), r.Header.Get("Authorization")
		_, _ = io.WriteString(w, answer)
	}))
	t.Cleanup(server.Close)
	c, err := WithToken(server.URL, "secret")
	require.NoError(t, err)
	return c, body, authorization
}

func TestTheTokenGoesWhereTheVersionWantsIt(t *testing.T) {
	c, body, authorization := api(t, "6.0.14", `{"jsonrpc":"2.0","result":[],"id":2}`)
	require.NoError(t, c.Call("host.get", object{}, nil))
	require.JSONEq(t, `{"jsonrpc":"2.0","method":"host.get","params":{},"id":2,"auth":"secret"}`, *body)
	require.Empty(t, *authorization)

	c, body, authorization = api(t, "7.0.9", `{"jsonrpc":"2.0","result":[],"id":2}`)
	require.NoError(t, c.Call("host.get", object{}, nil))
	require.JSONEq(t, `{"jsonrpc":"2.0","method":"host.get","params":{},"id":2}`, *body)
	require.Equal(t, "Bearer secret", *authorization)
}

func TestWhatIsNoAnswerIsAnError(t *testing.T) {
	for name, test := range map[string]struct{ answer, err string }{
		"a refusal is told in the API's words": {
			`{"jsonrpc":"2.0","error":{"code":-32602,"message":"Invalid params.","data":"Invalid parameter \"/1/host\"."},"id":2}`,
			`cannot do host.get: the API says: Invalid params. Invalid parameter "/1/host".`,
		},
		"a page of HTML": {
			"<html>Fatal error</html>",
			"cannot understand the answer to host.get: invalid character '<' looking for beginning of value; look into the frontend's errors, it says: <html>Fatal error</html>",
		},
		"a result of another kind": {
			`{"jsonrpc":"2.0","result":true,"id":2}`,
			"cannot understand the result of host.get: json: cannot unmarshal bool into Go value of type []map[string]interface {}; it is: true",
		},
		"no host": {`{"jsonrpc":"2.0","result":[],"id":2}`, "cannot find the host web1: host.get finds 0; check the name"},
		"two hosts": {
			`{"jsonrpc":"2.0","result":[{"hostid":"1"},{"hostid":"2"}],"id":2}`,
			"cannot find the host web1: host.get finds 2; check the name",
		},
		"a host without its id": {`{"jsonrpc":"2.0","result":[{"host":"web1"}],"id":2}`, "cannot find the host web1: host.get gives no hostid; look into the manual of 7.0.9"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := api(t, "7.0.9", test.answer)
			_, err := c.HostID("web1")
			require.EqualError(t, err, test.err)
		})
	}
	c, _, _ := api(t, "7.0.9", `{"jsonrpc":"2.0","error":{"code":-32500,"message":"Application error.","data":"No permissions."},"id":2}`)
	_, err := c.HostID("web1")
	var refusal *Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, Error{Method: "host.get", Code: -32500, Message: "Application error.", Data: "No permissions."}, *refusal)

	_, err = WithToken("http://127.0.0.1:1/api_jsonrpc.php", "")
	require.ErrorContains(t, err, "cannot call apiinfo.version: ")
	require.ErrorContains(t, err, "connection refused; check that the frontend runs")
}

func TestAWaitThatIsTooLongTellsWhatIsMissing(t *testing.T) {
	c, _, _ := api(t, "7.0.9", `{"jsonrpc":"2.0","result":[{"itemid":"1","key_":"a","type":"0","value_type":"3","history":"7d","status":"0","state":"1","flags":"0",`+
		`"error":"Cannot read.","lastvalue":"0","lastclock":"0","lastns":"0"},{"itemid":"2","key_":"b","type":"0","value_type":"3","history":"7d","status":"0","state":"0",`+
		`"flags":"0","error":"","lastvalue":"0","lastclock":"0","lastns":"0"}],"id":2}`)
	_, _, err := c.WaitItems("1", time.Millisecond, time.Time{}, "a", "b", "c")
	require.EqualError(t, err, "cannot wait for values any longer than 1ms: a: Cannot read.; b: no value; c: the host has no such item")
}

func TestNumbersAreReadAsTextToo(t *testing.T) {
	for text, want := range map[string]int64{`"5"`: 5, `5`: 5, `"-1"`: -1} {
		var n number
		require.NoError(t, n.UnmarshalJSON([]byte(text)))
		require.EqualValues(t, want, n)
	}
	var n number
	require.EqualError(t, n.UnmarshalJSON([]byte(`"five"`)), `cannot read "five": it is no whole number`)
}
