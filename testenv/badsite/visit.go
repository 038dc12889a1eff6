package badsite

import (
	"bufio"
	"crypto/tls"
	"errors"
	"fmt"
	"io"
	"net"
	"net/http"
	"os"
	"time"
)

// ending is how the server takes leave of a client.
type ending int

const (
	// orderly sends all, then a FIN, and waits for the client's.
	orderly ending = iota
	// reset sends a RST and drops what is not sent yet.
	reset
	// cut sends a FIN without the TLS farewell that belongs before it.
	cut
)

const (
	// leaveLimit is how long a client may take to close after the server has.
	leaveLimit = 2 * time.Second
	// forever is longer than any test.
	forever = time.Hour
)

// visit is one connection of a client.
type visit struct {
	server *Server
	tcp    *net.TCPConn
	// conn is tcp, or the TLS connection above it.
	conn net.Conn
	in   *bufio.Reader
	path string
}

// serve treats one client until it is gone.
func (s *Server) serve(tcp *net.TCPConn, b *Behavior) {
	v := &visit{server: s, tcp: tcp, conn: tcp}
	if b.TLS && !b.raw {
		conn := tls.Server(tcp, s.authority.config(b.certificate, b.speaksHTTP2))
		v.conn = conn
		if err := conn.Handshake(); err != nil {
			// The client likes neither the certificate nor the wait; that is what it came for.
			_ = tcp.Close()
			return
		}
	}
	v.in = bufio.NewReader(v.conn)
	v.leave(b.answer(v))
}

func (v *visit) leave(how ending) {
	switch how {
	case reset:
		_ = v.tcp.SetLinger(0)
	case cut:
		_ = v.tcp.CloseWrite()
		v.drain(v.tcp)
	case orderly:
		if half, ok := v.conn.(interface{ CloseWrite() error }); ok {
			_ = half.CloseWrite()
		}
		// After TLS's farewell TCP's is due; a close with unread data would be a reset.
		_ = v.tcp.CloseWrite()
		v.drain(v.tcp)
	}
	_ = v.tcp.Close()
}

// drain reads until the client closes.
func (v *visit) drain(from net.Conn) {
	_ = from.SetReadDeadline(time.Now().Add(leaveLimit))
	_, _ = io.Copy(io.Discard, from)
}

// request reads a whole request; it is false where the client did not send one.
func (v *visit) request() bool {
	request, err := http.ReadRequest(v.in)
	if err != nil {
		return false
	}
	if _, err := io.Copy(io.Discard, request.Body); err != nil {
		return false
	}
	v.path = request.URL.Path
	v.server.requests.Add(1)
	return true
}

// send sends text as it stands; it is false where the client is gone.
func (v *visit) send(text string) bool {
	_, err := io.WriteString(v.conn, text)
	return err == nil
}

// wait lets d go by; it is false where the client or the server ended meanwhile.
func (v *visit) wait(d time.Duration) bool {
	_ = v.tcp.SetReadDeadline(time.Now().Add(d))
	// Nothing but the client's end can come now.
	_, err := v.in.Peek(1)
	_ = v.tcp.SetReadDeadline(time.Time{})
	return errors.Is(err, os.ErrDeadlineExceeded)
}

// header is an answer's status line and fields.
func header(status int, fields string) string {
	return fmt.Sprintf("HTTP/1.1 %d %s\r\nConnection: close\r\nContent-Type: text/html; charset=UTF-8\r\n%s\r\n", status, http.StatusText(status), fields)
}

// whole is an answer with its length.
func whole(status int, body string) string {
	return header(status, fmt.Sprintf("Content-Length: %d\r\n", len(body))) + body
}

// says answers any request with text.
func says(text string) func(*visit) ending {
	return func(v *visit) ending {
		if v.request() {
			v.send(text)
		}
		return orderly
	}
}
