package badsite

import (
	"io"
	"net"
	"net/http"
	"sync"
)

// answerHTTP2 has net/http speak on the visit's connection, in HTTP/2 where the client agreed to it.
func answerHTTP2(page func(*visit) string) func(*visit) ending {
	return func(v *visit) ending {
		v.serveHTTP(func(w http.ResponseWriter, _ *http.Request) {
			// A client that left is no matter.
			_, _ = io.WriteString(w, page(v))
		})
		return orderly
	}
}

// resetHTTP2 has read the request and resets after what it sends of a page, which may be nothing.
func resetHTTP2(sent string) func(*visit) ending {
	return func(v *visit) ending {
		v.serveHTTP(func(w http.ResponseWriter, _ *http.Request) {
			if flusher, ok := w.(http.Flusher); ok && sent != "" {
				_, _ = io.WriteString(w, sent)
				flusher.Flush()
			}
			_ = v.tcp.SetLinger(0)
			_ = v.tcp.Close()
		})
		return reset
	}
}

// serveHTTP returns when the client is gone.
func (v *visit) serveHTTP(handle http.HandlerFunc) {
	gone := make(chan struct{})
	once := sync.OnceFunc(func() { close(gone) })
	server := &http.Server{
		Handler: http.HandlerFunc(func(w http.ResponseWriter, r *http.Request) {
			v.server.requests.Add(1)
			handle(w, r)
		}),
		ReadHeaderTimeout: patience,
		ConnState: func(_ net.Conn, state http.ConnState) {
			if state == http.StateClosed {
				once()
			}
		},
		TLSConfig: v.server.authority.config(good, true),
	}
	single := &oneListener{conn: v.conn, gone: gone}
	// It ends with the error that the listener gives when the connection is closed.
	_ = server.Serve(single)
}

// oneListener hands out one connection and then waits for its end.
type oneListener struct {
	conn net.Conn
	once sync.Once
	gone <-chan struct{}
}

func (l *oneListener) Accept() (conn net.Conn, err error) {
	l.once.Do(func() { conn = l.conn })
	if conn != nil {
		return conn, nil
	}
	<-l.gone
	return nil, net.ErrClosed
}

func (l *oneListener) Close() error { return nil }

func (l *oneListener) Addr() net.Addr { return l.conn.LocalAddr() }
