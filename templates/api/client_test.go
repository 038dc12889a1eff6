package api

import (
	"fmt"
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"

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
	c, err := New(server.URL, "secret")
	require.NoError(t, err)
	return c, body, authorization
}

func TestTheURLIsThatOfTheFrontendOrOfItsAPI(t *testing.T) {
	var paths []string
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		paths = append(paths, r.URL.Path)
		_, _ = io.WriteString(w, `{"jsonrpc":"2.0","result":"7.0.9","id":1}`)
	}))
	t.Cleanup(server.Close)
	for _, url := range []string{"/zabbix", "/zabbix/", "/zabbix/api_jsonrpc.php"} {
		c, err := New(server.URL+url, "")
		require.NoError(t, err)
		require.Equal(t, "7.0.9", c.Version())
	}
	require.Equal(t, []string{"/zabbix" + Path, "/zabbix" + Path, "/zabbix" + Path}, paths)
}

func TestTheTokenGoesWhereTheVersionWantsIt(t *testing.T) {
	c, body, authorization := api(t, "6.0.14", `{"jsonrpc":"2.0","result":[],"id":2}`)
	require.NoError(t, c.Call("host.get", Object{}, nil))
	require.JSONEq(t, `{"jsonrpc":"2.0","method":"host.get","params":{},"id":2,"auth":"secret"}`, *body)
	require.Empty(t, *authorization)

	c, body, authorization = api(t, "7.0.9", `{"jsonrpc":"2.0","result":[],"id":2}`)
	require.NoError(t, c.Call("host.get", Object{}, nil))
	require.JSONEq(t, `{"jsonrpc":"2.0","method":"host.get","params":{},"id":2}`, *body)
	require.Equal(t, "Bearer secret", *authorization)
}

func findHost(c *Client) (string, error) {
	return c.Find("host.get", "hostid", "the host web1", Object{"filter": Object{"host": "web1"}})
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
		"no host": {`{"jsonrpc":"2.0","result":[],"id":2}`, "cannot find the host web1: host.get finds 0; check the name, and that this user may see it"},
		"two hosts": {
			`{"jsonrpc":"2.0","result":[{"hostid":"1"},{"hostid":"2"}],"id":2}`,
			"cannot find the host web1: host.get finds 2; check the name, and that this user may see it",
		},
		"a host without its id": {`{"jsonrpc":"2.0","result":[{"host":"web1"}],"id":2}`, "cannot find the host web1: host.get gives no hostid; look into the manual of 7.0.9"},
	} {
		t.Run(name, func(t *testing.T) {
			c, _, _ := api(t, "7.0.9", test.answer)
			_, err := findHost(c)
			require.EqualError(t, err, test.err)
		})
	}
	c, _, _ := api(t, "7.0.9", `{"jsonrpc":"2.0","error":{"code":-32500,"message":"Application error.","data":"No permissions."},"id":2}`)
	_, err := findHost(c)
	var refusal *Error
	require.ErrorAs(t, err, &refusal)
	require.Equal(t, Error{Method: "host.get", Code: -32500, Message: "Application error.", Data: "No permissions."}, *refusal)

	_, err = New("http://127.0.0.1:1/api_jsonrpc.php", "")
	require.ErrorContains(t, err, "cannot call apiinfo.version: ")
	require.ErrorContains(t, err, "connection refused; check that the frontend runs")
}
