// Package valueagent is a Zabbix agent whose values a test chooses: it answers a server's or proxy's passive checks, sends active ones, and can vanish.
// With it, a test drives the triggers of a template by the values of its master items.
package valueagent

import (
	"errors"
	"fmt"
	"net"
	"strings"
	"sync"
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
