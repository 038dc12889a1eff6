// Package scripted is the agent's side of the protocol of loadable plugins, driven step by step by a test.
// It sends what agents send, or anything else, and keeps whatever the plugin answers.
package scripted

import (
	"encoding/json"
	"fmt"
	"maps"
	"net"
	"slices"
	"sync"
	"time"
)

const writeLimit = 10 * time.Second

// Agent talks with one plugin over one connection. Its methods may be called from any goroutine.
type Agent struct {
	dialect Dialect
	conn    net.Conn
	closed  chan struct{}

	mu      sync.Mutex
	lastID  uint32
	frames  []Frame
	arrived chan struct{}
	readErr error
}

// Attach talks over a connection that is already there.
func Attach(d Dialect, conn net.Conn) *Agent {
	a := &Agent{dialect: d, conn: conn, closed: make(chan struct{}), arrived: make(chan struct{})}
	go a.collect()
	return a
}

// Send sends a message of a type with the next id, which it returns, and further fields.
func (a *Agent) Send(messageType uint32, fields map[string]any) (uint32, error) {
	a.mu.Lock()
	a.lastID++
	id := a.lastID
	a.mu.Unlock()
	return id, a.send(id, messageType, fields)
}

func (a *Agent) send(id, messageType uint32, fields map[string]any) error {
	message := map[string]any{"id": id, "type": messageType}
	maps.Copy(message, fields)
	data, err := json.Marshal(message)
	if err != nil {
		return fmt.Errorf("cannot encode a message: %w; correct the test", err)
	}
	return a.SendRaw(RawFrame(1, uint32(len(data)), data))
}

// SendRaw sends bytes as they are.
func (a *Agent) SendRaw(raw []byte) error {
	if err := a.conn.SetWriteDeadline(time.Now().Add(writeLimit)); err != nil {
		return fmt.Errorf("cannot send to the plugin: %w; it has gone", err)
	}
	if _, err := a.conn.Write(raw); err != nil {
		return fmt.Errorf("cannot send to the plugin: %w; it has gone or stopped reading", err)
	}
	return nil
}

// Register asks the plugin to register.
func (a *Agent) Register() (uint32, error) {
	return a.Send(RegisterRequest, map[string]any{"version": a.dialect.Version})
}

// Validate asks the plugin to check the options of its section.
func (a *Agent) Validate(section string, options ...Option) (uint32, error) {
	return a.Send(ValidateRequest, map[string]any{"private_options": a.dialect.privateOptions(section, options)})
}

// Configure gives the plugin the global timeout in seconds and the options of its section. There is no answer.
func (a *Agent) Configure(timeoutS int, section string, options ...Option) (uint32, error) {
	return a.Send(Configure, map[string]any{
		"global_options":  map[string]any{"Timeout": timeoutS, "SourceIP": ""},
		"private_options": a.dialect.privateOptions(section, options),
	})
}

// Start tells the plugin to start. There is no answer.
func (a *Agent) Start() (uint32, error) { return a.Send(StartRequest, nil) }

// Export asks for a key; the timeout in seconds is sent where the dialect has one.
func (a *Agent) Export(timeoutS int, key string, parameters ...string) (uint32, error) {
	fields := map[string]any{"key": key}
	if len(parameters) > 0 {
		fields["parameters"] = parameters
	}
	if a.dialect.Timeout {
		fields["timeout"] = timeoutS
	}
	return a.Send(ExportRequest, fields)
}

// Terminate tells the plugin to end. There is no answer.
func (a *Agent) Terminate() error {
	if a.dialect.TerminateZero {
		return a.send(0, TerminateRequest, nil)
	}
	_, err := a.Send(TerminateRequest, nil)
	return err
}

// Answer waits for the first answer to a request.
func (a *Agent) Answer(id uint32, within time.Duration) (Frame, error) {
	return a.Await(within, func(f Frame) bool { return f.ID == id && f.Type != Log })
}

// Await waits for the first frame that matches, also of those that have already come.
func (a *Agent) Await(within time.Duration, matches func(Frame) bool) (Frame, error) {
	timeout := time.After(within)
	for {
		a.mu.Lock()
		frames, arrived, readErr := a.frames, a.arrived, a.readErr
		a.mu.Unlock()
		if i := slices.IndexFunc(frames, matches); i >= 0 {
			return frames[i], nil
		}
		if readErr != nil {
			return Frame{}, fmt.Errorf("cannot get that frame: the plugin closed the connection after %d others: %w; look into its log", len(frames), readErr)
		}
		select {
		case <-arrived:
		case <-timeout:
			return Frame{}, fmt.Errorf("cannot get that frame within %s, %d others came; look into the plugin", within, len(frames))
		}
	}
}

// Frames returns all frames that have come, in their order.
func (a *Agent) Frames() []Frame {
	a.mu.Lock()
	defer a.mu.Unlock()
	return slices.Clone(a.frames)
}

// Closed is closed when the plugin has closed the connection or sent what is no frame.
func (a *Agent) Closed() <-chan struct{} { return a.closed }

// Close closes the connection, as the agent's death does.
func (a *Agent) Close() error { return a.conn.Close() }

func (a *Agent) collect() {
	for {
		frame, err := readFrame(a.conn)
		a.mu.Lock()
		if err == nil {
			a.frames = append(a.frames, frame)
		}
		a.readErr = err
		close(a.arrived)
		a.arrived = make(chan struct{})
		a.mu.Unlock()
		if err != nil {
			close(a.closed)
			return
		}
	}
}
