// Package valueagent is a Zabbix agent whose values a test chooses: it answers a server's or proxy's passive checks, sends active ones, and can vanish.
// With it, a test drives the triggers of a template by the values of its master items.
package valueagent

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/packet"
)

const (
	requestLimit = 1 << 20
	timeout      = 10 * time.Second
	notSupported = "ZBX_NOTSUPPORTED\x00"
)

// Agent is a running agent. Its methods may be called from any goroutine.
type Agent struct {
	address string

	mu       sync.Mutex
	listener net.Listener
	values   map[string]value
	asked    map[string]int
	active   []chan struct{}
	serving  sync.WaitGroup
	errs     []error
}

// value is an answer, or the reason for none.
type value struct {
	text        string
	unsupported bool
}

// Start starts an agent without values on a free port of 127.0.0.1. The caller must call Stop.
func Start() (*Agent, error) {
	a := &Agent{address: "127.0.0.1:0", values: map[string]value{}, asked: map[string]int{}}
	return a, a.Appear()
}

// Address is host and port of the agent's passive checks.
func (a *Agent) Address() string { return a.address }

// canonical makes a key the same whether its parameters are quoted or not, as a template writes them in one way and a test in the other.
func canonical(key string) string { return strings.ReplaceAll(key, `"`, "") }

// Set makes a value the answer to a key.
func (a *Agent) Set(key, text string) { a.set(key, value{text: text}) }

// SetUnsupported makes the agent answer a key with an error.
func (a *Agent) SetUnsupported(key, reason string) {
	a.set(key, value{text: reason, unsupported: true})
}

func (a *Agent) set(key string, v value) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.values[canonical(key)] = v
}

// Forget makes a key unknown again, as to an older plugin.
func (a *Agent) Forget(key string) {
	a.mu.Lock()
	defer a.mu.Unlock()
	delete(a.values, canonical(key))
}

// Asked is how often a key has been asked for or sent.
func (a *Agent) Asked(key string) int {
	a.mu.Lock()
	defer a.mu.Unlock()
	return a.asked[canonical(key)]
}

// value returns the answer to a key and counts the question.
func (a *Agent) value(key string) value {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.asked[canonical(key)]++
	if v, found := a.values[canonical(key)]; found {
		return v
	}
	return value{text: "Unknown metric " + key, unsupported: true}
}

// Vanish makes the agent's port refuse connections until Appear.
func (a *Agent) Vanish() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener == nil {
		return nil
	}
	err := a.listener.Close()
	a.listener = nil
	if err != nil {
		return fmt.Errorf("cannot close the agent's port: %w; report it", err)
	}
	return nil
}

// Appear makes the agent's port answer, the same one as before.
func (a *Agent) Appear() error {
	a.mu.Lock()
	defer a.mu.Unlock()
	if a.listener != nil {
		return nil
	}
	listener, err := net.Listen("tcp4", a.address)
	if err != nil {
		return fmt.Errorf("cannot open the agent's port: %w; end who has it", err)
	}
	a.listener, a.address = listener, listener.Addr().String()
	a.serving.Go(func() { a.accept(listener) })
	return nil
}

func (a *Agent) accept(listener net.Listener) {
	for {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		a.serving.Go(func() {
			defer func() { _ = conn.Close() }()
			if err := a.serve(conn); err != nil {
				a.failed(err)
			}
		})
	}
}

// serve answers one request.
func (a *Agent) serve(conn net.Conn) error {
	if err := conn.SetDeadline(time.Now().Add(timeout)); err != nil {
		return fmt.Errorf("cannot serve %s: %w; try again", conn.RemoteAddr(), err)
	}
	request, err := packet.Read(conn, requestLimit)
	if errors.Is(err, packet.ErrNoData) {
		// Whoever only looks whether the port is open asks nothing.
		return nil
	}
	if err != nil {
		return fmt.Errorf("cannot read what %s asks: %w", conn.RemoteAddr(), err)
	}
	answer, err := a.answer(request)
	if err != nil {
		return err
	}
	if err := packet.Write(conn, answer); err != nil {
		return fmt.Errorf("cannot answer %s: %w; look why it hung up", conn.RemoteAddr(), err)
	}
	return nil
}

// answer returns the answer to a request: of a server before 7.0 the bare key, of 7.0 JSON, as Zabbix's manual has it.
func (a *Agent) answer(request []byte) ([]byte, error) {
	key := strings.TrimSpace(string(request))
	if !strings.HasPrefix(key, "{") {
		v := a.value(key)
		if v.unsupported {
			return []byte(notSupported + v.text), nil
		}
		return []byte(v.text), nil
	}
	var whole struct {
		Request string `json:"request"`
		Data    []struct {
			Key string `json:"key"`
		} `json:"data"`
	}
	if err := json.Unmarshal(request, &whole); err != nil {
		return nil, fmt.Errorf("cannot answer %.200q: %w; ask with Zabbix 6.0 or 7.0", request, err)
	}
	if whole.Request != "passive checks" {
		return nil, fmt.Errorf("cannot answer %.200q: it is no passive check; ask with Zabbix 6.0 or 7.0", request)
	}
	data := make([]map[string]string, len(whole.Data))
	for i, one := range whole.Data {
		v := a.value(one.Key)
		if v.unsupported {
			data[i] = map[string]string{"error": v.text}
		} else {
			data[i] = map[string]string{"value": v.text}
		}
	}
	return json.Marshal(map[string]any{"version": "7.0.0", "variant": 2, "data": data})
}

func (a *Agent) failed(err error) {
	a.mu.Lock()
	defer a.mu.Unlock()
	a.errs = append(a.errs, err)
}

// Stop ends the agent. The error tells which requests it could not answer. It may be called again.
func (a *Agent) Stop() error {
	err := a.Vanish()
	a.mu.Lock()
	for _, stop := range a.active {
		close(stop)
	}
	a.active = nil
	a.mu.Unlock()
	a.serving.Wait()
	a.mu.Lock()
	defer a.mu.Unlock()
	err = errors.Join(append(a.errs, err)...)
	a.errs = nil
	return err
}
