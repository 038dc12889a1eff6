// Package trapper sends values to the port of a Zabbix server or proxy, as zabbix_sender and as active agents do
// (Zabbix's manual, "Zabbix sender protocol" and "Passive and active agent checks").
package trapper

import (
	"cmp"
	"crypto/rand"
	"encoding/hex"
	"encoding/json"
	"fmt"
	"net"
	"sync/atomic"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/packet"
)

const (
	timeout     = 30 * time.Second
	answerLimit = 16 << 20
)

// Value is a value of one item.
type Value struct {
	// Host is the host's technical name.
	Host  string
	Key   string
	Value string
	// At is when the value was taken, now where it is zero. A time of the past is taken as it is: triggers see values as old as they say they are.
	At time.Time
	// Unsupported makes Value the reason why there is none. Only an active agent may say so.
	Unsupported bool
}

// Result is what became of values.
type Result struct{ Processed, Failed int }

// Client sends to one server or proxy. It is one session of an active agent.
type Client struct {
	address string
	session string
	lastID  atomic.Uint64
}

// New returns a client of a server or proxy, given as host:port.
func New(address string) *Client {
	var session [16]byte
	// It never fails, see the documentation of crypto/rand.
	_, _ = rand.Read(session[:])
	return &Client{address: address, session: hex.EncodeToString(session[:])}
}

type wireValue struct {
	Host  string `json:"host"`
	Key   string `json:"key"`
	Value string `json:"value"`
	State int    `json:"state,omitempty"`
	ID    uint64 `json:"id,omitempty"`
	Clock int64  `json:"clock"`
	Ns    int    `json:"ns"`
}

type wireRequest struct {
	Request string      `json:"request"`
	Session string      `json:"session,omitempty"`
	Host    string      `json:"host,omitempty"`
	Data    []wireValue `json:"data,omitempty"`
	Clock   int64       `json:"clock,omitempty"`
	Ns      int         `json:"ns,omitempty"`
}

// unsupported is the state of an item whose value is an error.
const unsupported = 1

// Send sends values of trapper items, as zabbix_sender does. An unknown host or item, or one that the configuration in the server's memory does not have yet, is a failed value.
func (c *Client) Send(values ...Value) (Result, error) { return c.send("sender data", "", values) }

// SendAgent sends values of active items, as an active agent does. Zabbix takes them in the order in which they come, so the oldest has to be the first.
func (c *Client) SendAgent(values ...Value) (Result, error) {
	return c.send("agent data", c.session, values)
}

func (c *Client) send(request, session string, values []Value) (Result, error) {
	now := time.Now()
	whole := wireRequest{Request: request, Session: session, Data: make([]wireValue, len(values)), Clock: now.Unix(), Ns: now.Nanosecond()}
	for i, value := range values {
		at := value.At
		if at.IsZero() {
			at = now
		}
		whole.Data[i] = wireValue{Host: value.Host, Key: value.Key, Value: value.Value, Clock: at.Unix(), Ns: at.Nanosecond()}
		if session != "" {
			whole.Data[i].ID = c.lastID.Add(1)
		}
		if value.Unsupported {
			whole.Data[i].State = unsupported
		}
	}
	var answer struct {
		Info string `json:"info"`
	}
	if err := c.exchange(whole, &answer); err != nil {
		return Result{}, err
	}
	var result Result
	if _, err := fmt.Sscanf(answer.Info, "processed: %d; failed: %d;", &result.Processed, &result.Failed); err != nil {
		return Result{}, fmt.Errorf("cannot understand the answer of %s: %w; it says: %q", c.address, err, answer.Info)
	}
	return result, nil
}

// Item is what an active agent is to send values of.
type Item struct {
	// Key is what the agent is asked, with the values of user macros.
	Key string
	// SendAs is the key under which the server wants the value, with the macros themselves.
	SendAs string
}

// ActiveItems returns the items that an active agent is to send for a host. The error says so where the server does not know the host.
func (c *Client) ActiveItems(host string) ([]Item, error) {
	var answer struct {
		Data []struct {
			Key      string `json:"key"`
			Original string `json:"key_orig"`
		} `json:"data"`
	}
	if err := c.exchange(wireRequest{Request: "active checks", Host: host}, &answer); err != nil {
		return nil, err
	}
	items := make([]Item, len(answer.Data))
	for i, one := range answer.Data {
		items[i] = Item{Key: one.Key, SendAs: cmp.Or(one.Original, one.Key)}
	}
	return items, nil
}

// exchange sends a request and decodes the answer, unless it is a refusal.
func (c *Client) exchange(request, answer any) error {
	data, err := json.Marshal(request)
	if err != nil {
		return fmt.Errorf("cannot ask %s: %w; check the values", c.address, err)
	}
	conn, err := net.DialTimeout("tcp", c.address, timeout)
	if err != nil {
		return fmt.Errorf("cannot reach the Zabbix server or proxy at %s: %w; check that it runs", c.address, err)
	}
	defer func() { _ = conn.Close() }()
	err = conn.SetDeadline(time.Now().Add(timeout))
	if err == nil {
		err = packet.Write(conn, data)
	}
	if err != nil {
		return fmt.Errorf("cannot ask %s: %w; try again", c.address, err)
	}
	reply, err := packet.Read(conn, answerLimit)
	if err != nil {
		return fmt.Errorf("cannot read the answer of %s: %w", c.address, err)
	}
	var state struct {
		Response string `json:"response"`
		Info     string `json:"info"`
	}
	if err := json.Unmarshal(reply, &state); err != nil {
		return fmt.Errorf("cannot understand the answer of %s: %w; check that it is a Zabbix server or proxy", c.address, err)
	}
	if state.Response != "success" {
		return fmt.Errorf("cannot ask %s: it says %s: %s; mend that", c.address, state.Response, state.Info)
	}
	return json.Unmarshal(reply, answer)
}
