// Package passive asks a Zabbix agent for values as a server does in passive checks
// (Zabbix's manual, "Passive and active agent checks" and "Header").
package passive

import (
	"encoding/json"
	"fmt"
	"net"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/packet"
)

const (
	// DefaultTimeout is longer than the 60 s that agent 7.0 allows a plain request.
	DefaultTimeout = 65 * time.Second
	// DefaultLimit is the size of an answer that a server would still take.
	DefaultLimit = 1 << 30
)

const notSupported = "ZBX_NOTSUPPORTED"

// NotSupported is the agent's answer that it cannot give a value, with its reason.
type NotSupported struct{ Reason string }

func (e *NotSupported) Error() string {
	return "cannot get a value, the agent says: " + e.Reason
}

// Client asks the agent at Address (host:port). The zero values of the limits stand for the defaults.
type Client struct {
	Address string
	// Timeout bounds one whole request.
	Timeout time.Duration
	// Limit bounds an answer, in bytes.
	Limit int64
}

// Get asks for key with a plain request, which every agent understands. The error is a *NotSupported where the agent has no value.
func (c Client) Get(key string) (string, error) {
	answer, err := c.exchange(key, []byte(key))
	if err != nil {
		return "", err
	}
	if reason, found := strings.CutPrefix(string(answer), notSupported); found {
		return "", &NotSupported{Reason: strings.TrimPrefix(reason, "\x00")}
	}
	return string(answer), nil
}

type jsonRequest struct {
	Request string     `json:"request"`
	Data    []jsonItem `json:"data"`
}

type jsonItem struct {
	Key     string `json:"key"`
	Timeout int    `json:"timeout"`
}

type jsonAnswer struct {
	Error string `json:"error"`
	Data  []struct {
		Value *string `json:"value"`
		Error *string `json:"error"`
	} `json:"data"`
}

// GetTimeout asks for key with agent 7.0's JSON request, which carries the time in seconds that the agent may take.
func (c Client) GetTimeout(key string, timeoutS int) (string, error) {
	request, err := json.Marshal(jsonRequest{Request: "passive checks", Data: []jsonItem{{Key: key, Timeout: timeoutS}}})
	if err != nil {
		return "", fmt.Errorf("cannot ask for %s: %w; check the key", key, err)
	}
	data, err := c.exchange(key, request)
	if err != nil {
		return "", err
	}
	var answer jsonAnswer
	if err := json.Unmarshal(data, &answer); err != nil {
		return "", fmt.Errorf("cannot understand the answer to %s: %w; ask agent 7.0 or later", key, err)
	}
	switch {
	case answer.Error != "":
		return "", &NotSupported{Reason: answer.Error}
	case len(answer.Data) != 1:
		return "", fmt.Errorf("cannot understand the answer to %s: %d values for one key; look into the agent's log", key, len(answer.Data))
	case answer.Data[0].Error != nil:
		return "", &NotSupported{Reason: *answer.Data[0].Error}
	case answer.Data[0].Value == nil:
		return "", fmt.Errorf("cannot get %s: %w", key, packet.ErrNoData)
	}
	return *answer.Data[0].Value, nil
}

// exchange sends one packet and returns the data of the agent's.
func (c Client) exchange(key string, request []byte) ([]byte, error) {
	timeout, limit := c.Timeout, c.Limit
	if timeout == 0 {
		timeout = DefaultTimeout
	}
	if limit == 0 {
		limit = DefaultLimit
	}
	deadline := time.Now().Add(timeout)
	conn, err := net.DialTimeout("tcp", c.Address, timeout)
	if err != nil {
		return nil, fmt.Errorf("cannot reach the agent at %s: %w; check that it runs", c.Address, err)
	}
	defer func() { _ = conn.Close() }()
	if err := conn.SetDeadline(deadline); err != nil {
		return nil, fmt.Errorf("cannot ask for %s: %w; try again", key, err)
	}
	if err := packet.Write(conn, request); err != nil {
		return nil, fmt.Errorf("cannot ask for %s: %w; check that the agent allows this address", key, err)
	}
	data, err := packet.Read(conn, limit)
	if err != nil {
		return nil, fmt.Errorf("cannot get %s: %w", key, err)
	}
	return data, nil
}
