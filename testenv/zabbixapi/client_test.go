package zabbixapi

import (
	"io"
	"net/http"
	"net/http/httptest"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
)

// answering is a client of an API that answers each call but that for the version with the same.
func answering(t *testing.T, answer string) *Client {
	t.Helper()
	server := httptest.NewServer(http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
		data, err := io.ReadAll(r.Body)
		switch {
		case err != nil:
		case strings.Contains(string(data), `"apiinfo.version"`):
			_, _ = io.WriteString(w, `{"jsonrpc":"2.0","result":"7.0.9","id":1}`)
		default:
			_, _ = io.WriteString(w, answer)
		}
	}))
	t.Cleanup(server.Close)
	c, err := WithToken(server.URL, "secret")
	require.NoError(t, err)
	return c
}

func TestAWaitThatIsTooLongTellsWhatIsMissing(t *testing.T) {
	c := answering(t, `{"jsonrpc":"2.0","result":[{"itemid":"1","key_":"a","type":"0","value_type":"3","history":"7d","status":"0","state":"1","flags":"0",`+
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
