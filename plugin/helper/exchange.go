package helper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net/http"
	"slices"
	"strings"
	"time"
)

const (
	jsonType = "application/json"
	textType = "text/plain"
	// maxHint bounds what is allocated on the word of an answer that has not come yet.
	maxHint = 1 << 20
)

// question is a request and what its answer must be.
type question struct {
	Request

	contentType string
	// buf is where the answer may lie.
	buf []byte
}

// answer is what came of a question.
type answer struct {
	body []byte
	// version is the helper's release, empty where it did not tell.
	version string
	// reused tells that the connection had been used before.
	reused bool
}

// inquire asks, and once more where the helper was killed, or has just ended because it had nothing to do: systemd starts another. That
// an old connection has ended meanwhile does not count.
func (c *Client) inquire(ctx context.Context, q question) (answer, error) {
	a, err := c.exchange(ctx, q, true)

	attempts := 1
	if a.reused {
		attempts++
	}

	for ; attempts > 0 && vanished(err) && ctx.Err() == nil; attempts-- {
		a, err = c.exchange(ctx, q, false)
	}

	return a, err
}

// exchange sends the request and reads the answer.
func (c *Client) exchange(ctx context.Context, q question, reuse bool) (a answer, err error) {
	conn, err := c.pool.take(ctx, reuse)
	if err != nil {
		return a, err
	}

	a.reused = conn.reused
	// Whatever the connection waits for then fails at once.
	stop := context.AfterFunc(ctx, func() { _ = conn.SetDeadline(time.Unix(1, 0)) })

	response, err := conn.get(q.Target())
	if err == nil {
		a.version = response.Header.Get(VersionHeader)
		a.body, err = readAll(response, q.buf)
	}

	if stop() && err == nil && !response.Close && conn.reader.Buffered() == 0 {
		c.pool.keep(conn)
	} else {
		_ = conn.Close()
	}

	if err != nil {
		return a, err
	}

	return a, a.check(response, q.contentType)
}

// check tells what the answer says that is not what was asked for.
func (a *answer) check(response *http.Response, contentType string) error {
	if a.version == "" {
		return garbage("it is not the helper's")
	}

	if got, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";"); response.StatusCode != http.StatusOK || got != contentType {
		return failureOf(response.StatusCode, a.body)
	}

	if contentType == jsonType && !json.Valid(a.body) {
		return garbage("it is no JSON")
	}

	return nil
}

// readAll reads the body into buf and grows it where it must.
func readAll(response *http.Response, buf []byte) ([]byte, error) {
	// One byte more than the body has shows its end.
	buf = slices.Grow(buf[:0], int(min(max(response.ContentLength, 0), maxHint))+1)

	for {
		n, err := response.Body.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]

		switch {
		case len(buf) > maxBody:
			return nil, errEndless()
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
		case len(buf) == cap(buf):
			buf = slices.Grow(buf, len(buf))
		}
	}
}

// failureOf is the error that an answer other than 200 tells.
func failureOf(status int, body []byte) error {
	var failure Failure
	if err := json.Unmarshal(body, &failure); err != nil || failure.Code == "" || failure.Message == "" {
		return garbage(fmt.Sprintf("status %d without a reason", status))
	}

	switch failure.Code {
	case CodeRefused:
		return &UnusableError{State: Refused, why: failure.Message}
	case CodeUnknownVerb, CodeMalformed:
		return &UnusableError{State: VersionMismatch, why: failure.Message + "; install plugin and helper of one version and restart both"}
	case CodeBusy, CodeTooLate, CodeConfiguration:
		return &UnusableError{State: NotAnswering, why: failure.Message}
	}

	return &checkError{failure}
}
