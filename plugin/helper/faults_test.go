package helper

import (
	"context"
	"net"
	"os"
	"runtime"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

const (
	head    = "HTTP/1.1 200 OK\r\n" + VersionHeader + ": " + doubleVersion + "\r\nContent-Type: application/json\r\n"
	unusual = "its answer cannot be used: "
)

// answersThatCannotBeUsed are what a helper may say at its worst, each with what is told of it. A connection is closed after them.
var answersThatCannotBeUsed = map[string]struct {
	raw string
	// version is whether the helper could tell its own.
	version  bool
	sentence string
}{
	"is not HTTP":                 {"220 mail.example ESMTP\r\n\r\n", false, unusual + `malformed HTTP status code "mail.example"` + looked},
	"is binary garbage":           {"\x00\xff\xfe\x01\r\n\r\n", false, unusual + `malformed HTTP response "\x00\xff\xfe\x01"` + looked},
	"is one long line of garbage": {strings.Repeat("x", 4000) + "\r\n\r\n", false, unusual + `malformed HTTP response "` + strings.Repeat("x", 75) + "…" + looked},
	"has no header of ours":       {"HTTP/1.1 200 OK\r\nContent-Type: application/json\r\nContent-Length: 2\r\n\r\n{}", false, unusual + "it is not the helper's" + looked},
	"has a broken header":         {"HTTP/1.1 200 OK\r\nno header\r\n\r\n", false, unusual + `malformed MIME header: missing colon: "no header"` + looked},
	"has another content type":    {says(200, "text/html", ok), true, unusual + "status 200 without a reason" + looked},
	"is a redirect": {
		"HTTP/1.1 302 Found\r\n" + VersionHeader + ": 9.9.9\r\nLocation: http://192.0.2.1/\r\nContent-Length: 0\r\n\r\n", true,
		unusual + "status 302 without a reason" + looked,
	},
	"is an error without a reason":       {says(500, "text/plain", "oops"), true, unusual + "status 500 without a reason" + looked},
	"is an error with half a reason":     {says(500, jsonType, `{"code":"failed"}`), true, unusual + "status 500 without a reason" + looked},
	"asks to go on first":                {"HTTP/1.1 100 Continue\r\n\r\n" + goodAnswer, false, unusual + "it is not the helper's" + looked},
	"has an empty body":                  {says(200, jsonType, ""), true, unusual + "it is no JSON" + looked},
	"is no JSON":                         {says(200, jsonType, "oops"), true, unusual + "it is no JSON" + looked},
	"is JSON that was cut":               {says(200, jsonType, `{"schema":1`), true, unusual + "it is no JSON" + looked},
	"has a negative length":              {head + "Content-Length: -1\r\n\r\n{}", false, unusual + `bad Content-Length "-1"` + looked},
	"has two lengths":                    {head + "Content-Length: 2\r\nContent-Length: 12\r\n\r\n{}", false, unusual + "http: message cannot contain multiple Content-Length headers; got [\"2\" \"12\"]" + looked},
	"has a length that is none":          {head + "Content-Length: 2x\r\n\r\n{}", false, unusual + `bad Content-Length "2x"` + looked},
	"has chunks that are none":           {head + "Transfer-Encoding: chunked\r\n\r\nzz\r\n", true, unusual + "invalid byte in chunk length" + looked},
	"has a header without an end":        {head + strings.Repeat("X-Long: "+strings.Repeat("x", 1000)+"\r\n", 100), false, unusual + "it has no end" + looked},
	"has a body that is too long":        {says(200, jsonType, `"`+strings.Repeat("x", maxBody)+`"`), true, unusual + "it has no end" + looked},
	"has a body without a length or end": {head + "\r\n\"" + strings.Repeat("x", maxBody+maxHead), true, unusual + "it has no end" + looked},
	"has chunks without an end":          {head + "Transfer-Encoding: chunked\r\n\r\n" + strings.Repeat("1000\r\n"+strings.Repeat("x", 4096)+"\r\n", maxBody/4096+2), true, unusual + "it has no end" + looked},
	"claims to be huge and ends":         {head + "Content-Length: 9000000000\r\n\r\n{}", true, "it ended before it answered, twice" + looked},
	"ends in its first line":             {"HTTP/1.1 20", false, unusual + `malformed HTTP status code "20"` + looked},
	"ends in its header":                 {head, false, "it ended before it answered, twice" + looked},
	"ends in its body":                   {goodAnswer[:len(goodAnswer)-1], true, "it ended before it answered, twice" + looked},
	"ends in a chunk":                    {head + "Transfer-Encoding: chunked\r\n\r\n10\r\n{", true, "it ended before it answered, twice" + looked},
	"never begins":                       {"", false, "it ended before it answered, twice" + looked},
}

func TestAnAnswerThatCannotBeUsedIsToldInASentence(t *testing.T) {
	t.Parallel()

	for name, test := range answersThatCannotBeUsed {
		t.Run("one that "+name, func(t *testing.T) {
			t.Parallel()

			d := startDouble(t, func(conn net.Conn, target string) bool {
				always(test.raw)(conn, target)

				return false
			})
			c := NewClient(d.socket)
			_, err := c.JSON(t.Context(), instances)
			unusable := requireUnusable(t, err, NotAnswering, test.sentence)

			want := Health{State: NotAnswering, Err: unusable, Requests: 1, Failures: 1}
			if test.version {
				want.Version = doubleVersion
			}

			requireHealth(t, c, want)

			// It answers again, and nobody has told the client.
			d.stop()
			startDoubleAt(t, d.socket, always(goodAnswer))

			_, err = c.JSON(t.Context(), instances)
			require.NoError(t, err)
			requireHealth(t, c, Health{State: OK, Version: doubleVersion, Requests: 2, Failures: 1})
		})
	}
}

func TestAnAnswerOfStatusThatIsAnotherValueCannotBeUsed(t *testing.T) {
	t.Parallel()

	for _, body := range []string{"[]", `"x"`, `{"pid":"x"}`} {
		_, err := NewClient(startDouble(t, always(says(200, jsonType, body))).socket).Status(t.Context())
		requireUnusable(t, err, NotAnswering, unusual+"it is no status"+looked)
	}

	status, err := NewClient(startDouble(t, always(says(200, jsonType, `{"schema":1,"version":"9.9.9","pid":7}`))).socket).Status(t.Context())
	require.NoError(t, err)
	require.Equal(t, Status{Schema: 1, Version: "9.9.9", PID: 7}, status)
}

func TestNothingIsLeftBehind(t *testing.T) {
	t.Parallel()

	if !apart.Here() {
		apart.Run(t, apart.Place{})

		return
	}

	descriptors := func() int {
		entries, err := os.ReadDir("/proc/self/fd")
		require.NoError(t, err)

		return len(entries)
	}
	// The first listener starts what the runtime keeps.
	startDouble(t, always(goodAnswer)).stop()

	goroutines, files := runtime.NumGoroutine(), descriptors()

	for _, test := range answersThatCannotBeUsed {
		d := startDouble(t, always(test.raw))
		c := NewClient(d.socket)
		ctx, cancel := context.WithTimeout(t.Context(), patience/2)
		_, err := c.JSON(ctx, instances)
		require.Error(t, err)
		cancel()
		c.Close()
		d.stop()
	}

	d := startDouble(t, always(goodAnswer))
	c := NewClient(d.socket)

	requireAll(t, 100, func() error {
		_, err := c.JSON(t.Context(), instances)

		return err
	})
	c.Close()
	d.stop()

	// A goroutine of its own, as Eventually has, would be counted.
	for deadline := time.Now().Add(5 * time.Second); time.Now().Before(deadline) && runtime.NumGoroutine() > goroutines; {
		time.Sleep(time.Millisecond)
	}

	require.Equal(t, []int{goroutines, files}, []int{runtime.NumGoroutine(), descriptors()}, "goroutines and descriptors")
}
