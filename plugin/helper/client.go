package helper

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"strings"
	"sync"
	"time"
)

const (
	// maxBody is more than any answer has.
	maxBody = 16 << 20
	// maxWaiting bounds the questions under way, so that a helper that hangs does not take all slots of the worker.
	maxWaiting = 16
	// pause is how long nothing is asked of a helper that did not answer in time: each key tells why at once.
	pause = 5 * time.Second
	// reserve is kept of the caller's own deadline, to say what went wrong.
	reserve = 50 * time.Millisecond
	// idleConnection is shorter than the helper keeps one.
	idleConnection = time.Minute
	maxIdle        = 4
	// staleHealth is a little less than the usual interval of items.
	staleHealth = 50 * time.Second
	jsonType    = "application/json"
	textType    = "text/plain"
)

// Client asks the helper. It is safe for concurrent use, makes no connection before the first question, and needs no
// restart whatever the helper does.
type Client struct {
	socket  string
	http    *http.Client
	waiting chan struct{}

	mu     sync.Mutex
	health Health
	// rested is when the helper is asked again after it has not answered.
	rested time.Time
}

// Health is how the plugin stands with the helper, by the last question.
type Health struct {
	State State
	// Version is the helper's release by its last answer; empty before.
	Version string
	// Err is nil in the states NotNeeded and OK.
	Err error
	// AskedAt is zero before the first question.
	AskedAt  time.Time
	Requests uint64
	Failures uint64
}

// NewClient asks at a socket, on a real system SocketPath.
func NewClient(socket string) *Client {
	dialer := &net.Dialer{}

	return &Client{
		socket:  socket,
		waiting: make(chan struct{}, maxWaiting),
		health:  Health{State: Absent},
		http: &http.Client{
			Transport: &http.Transport{
				DialContext: func(ctx context.Context, _, _ string) (net.Conn, error) {
					return dialer.DialContext(ctx, "unix", socket)
				},
				MaxIdleConns: maxIdle, MaxIdleConnsPerHost: maxIdle, IdleConnTimeout: idleConnection, DisableCompression: true,
				MaxResponseHeaderBytes: 4 << 10,
			},
			CheckRedirect: func(*http.Request, []*http.Request) error { return http.ErrUseLastResponse },
		},
	}
}

// Health tells how the last question went.
func (c *Client) Health() Health {
	c.mu.Lock()
	defer c.mu.Unlock()

	return c.health
}

// Silent tells that the last question is too old to say how the helper is now.
func (c *Client) Silent() bool {
	c.mu.Lock()
	defer c.mu.Unlock()

	return time.Since(c.health.AskedAt) >= staleHealth
}

// Close lets go of the connections. The client can be used on.
func (c *Client) Close() { c.http.CloseIdleConnections() }

// JSON asks for an answer that is JSON, and returns it as it is. An *UnusableError tells that the helper could not be asked;
// any other error is the check's own, for which errors.Is works as if the check had been made here.
func (c *Client) JSON(ctx context.Context, r Request) ([]byte, error) {
	return c.ask(ctx, r, jsonType, nil)
}

// Text asks for an answer that is text. The text lies in buf, or in a larger buffer that replaces it.
func (c *Client) Text(ctx context.Context, r Request, buf []byte) ([]byte, error) {
	return c.ask(ctx, r, textType, buf)
}

// Status asks the helper for its own state.
func (c *Client) Status(ctx context.Context) (Status, error) {
	var status Status

	body, err := c.JSON(ctx, Request{Verb: VerbStatus})
	if err == nil {
		err = json.Unmarshal(body, &status)
	}

	return status, err
}

func (c *Client) ask(ctx context.Context, r Request, contentType string, buf []byte) ([]byte, error) {
	if err := c.resting(); err != nil {
		return nil, err
	}

	info, _ := r.Verb.Info()

	ctx, cancel := context.WithTimeout(ctx, info.Limit)
	defer cancel()

	select {
	case c.waiting <- struct{}{}:
		defer func() { <-c.waiting }()
	case <-ctx.Done():
		return nil, &UnusableError{State: NotAnswering, why: fmt.Sprintf("%d questions to the root helper wait already", maxWaiting)}
	}

	begun := time.Now()

	if deadline, ok := ctx.Deadline(); ok {
		r.Wait = max(time.Millisecond, time.Until(deadline)-reserve).Truncate(time.Millisecond)
	}

	body, version, err := c.exchange(ctx, r, contentType, buf)
	if err != nil && ctx.Err() == nil && vanished(err) {
		// It was killed, or has just ended because it had nothing to do: systemd starts another.
		body, version, err = c.exchange(ctx, r, contentType, buf)
	}

	if _, ofCheck := errors.AsType[*checkError](err); err == nil || ofCheck {
		return body, errors.Join(c.note(nil, version), err)
	}

	return nil, c.note(c.explain(ctx, err, time.Since(begun)), version)
}

// exchange sends the request and reads the answer. The version is that of the helper, empty where nothing of an answer came.
func (c *Client) exchange(ctx context.Context, r Request, contentType string, buf []byte) (body []byte, version string, err error) {
	request, err := http.NewRequestWithContext(ctx, http.MethodGet, "http://helper"+r.Target(), nil)
	if err != nil {
		return nil, "", err
	}

	response, err := c.http.Do(request)
	if err != nil {
		return nil, "", err
	}
	defer func() { _ = response.Body.Close() }()

	version = response.Header.Get(VersionHeader)
	if version == "" {
		return nil, "", garbage("it is not the helper's")
	}

	if body, err = readAll(response.Body, buf); err != nil {
		return nil, version, err
	}

	if got, _, _ := strings.Cut(response.Header.Get("Content-Type"), ";"); response.StatusCode != http.StatusOK || got != contentType {
		return nil, version, failureOf(response.StatusCode, body)
	}

	if contentType == jsonType && !json.Valid(body) {
		return nil, version, garbage("it is no JSON")
	}

	return body, version, nil
}

// readAll reads into buf and grows it where it must.
func readAll(from io.Reader, buf []byte) ([]byte, error) {
	buf = buf[:0]

	for limited := io.LimitReader(from, maxBody+1); ; {
		if len(buf) == cap(buf) {
			buf = append(buf, 0)[:len(buf)]
		}

		n, err := limited.Read(buf[len(buf):cap(buf)])
		buf = buf[:len(buf)+n]

		switch {
		case len(buf) > maxBody:
			return nil, garbage(fmt.Sprintf("it has more than %d bytes", maxBody))
		case errors.Is(err, io.EOF):
			return buf, nil
		case err != nil:
			return nil, err
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
