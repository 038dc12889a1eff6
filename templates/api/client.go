// Package api calls the API of Zabbix 6.0 and 7.0, as https://www.zabbix.com/documentation/7.0/en/manual/api describes it. It knows where a version wants the token;
// what else differs is the caller's.
package api

import (
	"bytes"
	"encoding/json"
	"fmt"
	"io"
	"net/http"
	"strings"
	"sync/atomic"
	"time"
)

const (
	// callLimit is above what an import of a large template takes on a busy machine.
	callLimit   = 2 * time.Minute
	contentType = "application/json-rpc"
	old         = "6.0."
	// Path is where a frontend has its API.
	Path = "/api_jsonrpc.php"
)

// Client calls the API as one user. Its methods may be called from any goroutine.
type Client struct {
	url     string
	version string
	token   string
	http    *http.Client
	calls   atomic.Int64
}

// Error is the API's refusal of a call.
type Error struct {
	Method string `json:"-"`
	Code   int    `json:"code"`
	// Message is the kind of the error, and Data what is wrong.
	Message string `json:"message"`
	Data    string `json:"data"`
}

func (e *Error) Error() string {
	return fmt.Sprintf("cannot do %s: the API says: %s %s", e.Method, e.Message, e.Data)
}

// New returns a client with an API token or a session of a user, or with none for the methods that need none. The URL is that of the frontend or of its API.
func New(url, token string) (*Client, error) {
	if !strings.HasSuffix(url, Path) {
		url = strings.TrimSuffix(url, "/") + Path
	}
	c := &Client{url: url, http: &http.Client{Timeout: callLimit, Transport: &http.Transport{DisableKeepAlives: true}}}
	if err := c.Call("apiinfo.version", []string{}, &c.version); err != nil {
		return nil, err
	}
	c.token = token
	return c, nil
}

// Version is the server's whole version, such as 7.0.9.
func (c *Client) Version() string { return c.version }

// Is60 tells whether the server is of the older series.
func (c *Client) Is60() bool { return strings.HasPrefix(c.version, old) }

// Object is a JSON object.
type Object map[string]any

// Call calls any method of the API. The result is decoded into result, unless that is nil. The error is an *Error where the API refuses.
func (c *Client) Call(method string, params, result any) error {
	request := Object{"jsonrpc": "2.0", "method": method, "params": params, "id": c.calls.Add(1)}
	// Zabbix 6.0 knows no header, and 7.0 complains of the member.
	if c.token != "" && c.Is60() {
		request["auth"] = c.token
	}
	data, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("cannot call %s: %w; mend its parameters", method, err)
	}
	answer, err := c.post(method, data)
	if err != nil {
		return err
	}
	var reply struct {
		Result json.RawMessage `json:"result"`
		Error  *Error          `json:"error"`
	}
	if err := json.Unmarshal(answer, &reply); err != nil {
		return fmt.Errorf("cannot understand the answer to %s: %w; look into the frontend's errors, it says: %.1000s", method, err, answer)
	}
	if reply.Error != nil {
		reply.Error.Method = method
		return reply.Error
	}
	if result == nil {
		return nil
	}
	if err := json.Unmarshal(reply.Result, result); err != nil {
		return fmt.Errorf("cannot understand the result of %s: %w; it is: %.1000s", method, err, reply.Result)
	}
	return nil
}

func (c *Client) post(method string, body []byte) ([]byte, error) {
	request, err := http.NewRequest(http.MethodPost, c.url, bytes.NewReader(body))
	if err != nil {
		return nil, fmt.Errorf("cannot call %s: %w; check the API's URL", method, err)
	}
	request.Header.Set("Content-Type", contentType)
	if c.token != "" && !c.Is60() {
		request.Header.Set("Authorization", "Bearer "+c.token)
	}
	response, err := c.http.Do(request)
	if err != nil {
		return nil, fmt.Errorf("cannot call %s: %w; check that the frontend runs", method, err)
	}
	defer func() { _ = response.Body.Close() }()
	answer, err := io.ReadAll(response.Body)
	if err != nil {
		return nil, fmt.Errorf("cannot read the answer to %s: %w; try again", method, err)
	}
	return answer, nil
}

// Created calls a method that makes one object, and returns the object's id.
func (c *Client) Created(method, ids string, params any) (string, error) {
	var result map[string][]string
	if err := c.Call(method, params, &result); err != nil {
		return "", err
	}
	if len(result[ids]) != 1 {
		return "", fmt.Errorf("cannot tell what %s made: it answers %v; look into the manual of %s", method, result, c.version)
	}
	return result[ids][0], nil
}

// Find returns the id of the only object that a method finds.
func (c *Client) Find(method, id, what string, params Object) (string, error) {
	params["output"] = []string{id}
	var found []map[string]any
	if err := c.Call(method, params, &found); err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("cannot find %s: %s finds %d; check the name, and that this user may see it", what, method, len(found))
	}
	value, ok := found[0][id].(string)
	if !ok {
		return "", fmt.Errorf("cannot find %s: %s gives no %s; look into the manual of %s", what, method, id, c.version)
	}
	return value, nil
}
