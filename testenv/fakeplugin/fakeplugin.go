// Package fakeplugin is the smallest loadable plugin that every supported agent takes: for testing what runs plugins.
// A test binary becomes it by calling Main first in TestMain.
package fakeplugin

import (
	"encoding/binary"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"net"
	"os"
	"os/signal"
	"strings"
	"syscall"
	"time"
)

// What Main registers: the section's name, and a key that answers its parameters joined by spaces, or fails where the first one is "fail".
const (
	Name = "Hosting"
	Key  = "hosting.echo"
)

// The message types that it knows; all others are ignored.
const (
	registerRequest  = 2
	registerResponse = 3
	terminate        = 5
	exportRequest    = 6
	exportResponse   = 7
)

// Main does not return where the process was started as agents start plugins: PATH SOCKET true|false.
func Main() {
	if len(os.Args) != 3 || os.Args[2] != "true" && os.Args[2] != "false" {
		return
	}
	// Whoever stops an agent's unit signals its plugins too; the agent must see them leave last.
	signal.Ignore(syscall.SIGTERM, syscall.SIGINT)
	if err := serve(os.Args[1]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(3)
	}
	os.Exit(0)
}

type message struct {
	ID         uint32   `json:"id"`
	Type       uint32   `json:"type"`
	Name       string   `json:"name,omitempty"`
	Version    string   `json:"version,omitempty"`
	Metrics    []string `json:"metrics,omitempty"`
	Interfaces uint32   `json:"interfaces,omitempty"`
	Parameters []string `json:"parameters,omitempty"`
	Value      *string  `json:"value,omitempty"`
	Error      string   `json:"error,omitempty"`
}

func serve(socket string) error {
	conn, err := net.Dial("unix", socket)
	if err != nil {
		return fmt.Errorf("cannot reach the agent: %w; start this from an agent", err)
	}
	old := false
	for {
		request, err := read(conn)
		if errors.Is(err, io.EOF) {
			return nil
		}
		if err != nil {
			return err
		}
		answer := message{ID: request.ID}
		switch request.Type {
		case registerRequest:
			old = strings.HasPrefix(request.Version, "6.0.")
			answer.Type, answer.Name, answer.Interfaces = registerResponse, Name, 1
			answer.Metrics = []string{Key, "Answers its parameters."}
		case exportRequest:
			answer.Type = exportResponse
			value := strings.Join(request.Parameters, " ")
			if strings.HasPrefix(value, "fail") {
				answer.Error = value
			} else {
				answer.Value = &value
			}
		case terminate:
			if old {
				// Agent 6.0 may panic where a registered plugin leaves before it is done with it.
				_, _ = io.Copy(io.Discard, conn)
				awaitOrphanage()
			}
			return nil
		default:
			continue
		}
		if err := write(conn, answer); err != nil {
			return err
		}
	}
}

func awaitOrphanage() {
	for parent := os.Getppid(); os.Getppid() == parent; {
		time.Sleep(10 * time.Millisecond)
	}
}

func read(r io.Reader) (message, error) {
	var m message
	header := make([]byte, 8)
	if _, err := io.ReadFull(r, header); err != nil {
		return m, err
	}
	data := make([]byte, binary.LittleEndian.Uint32(header[4:]))
	if _, err := io.ReadFull(r, data); err != nil {
		return m, err
	}
	return m, json.Unmarshal(data, &m)
}

func write(w io.Writer, m message) error {
	data, err := json.Marshal(m)
	if err != nil {
		return err
	}
	frame := binary.LittleEndian.AppendUint32(nil, 1)
	frame = binary.LittleEndian.AppendUint32(frame, uint32(len(data)))
	_, err = w.Write(append(frame, data...))
	return err
}
