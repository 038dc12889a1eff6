package valueagent

import (
	"encoding/json"
	"errors"
	"fmt"
	"net"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/packet"
)

const (
	requestLimit = 1 << 20
	timeout      = 10 * time.Second
	notSupported = "ZBX_NOTSUPPORTED\x00"
)

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
