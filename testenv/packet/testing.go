package packet

import (
	"net"
	"testing"
)

// requestLimit bounds what ServeOnce reads.
const requestLimit = 1 << 20

// ServeOnce answers one packet with raw bytes, for tests of clients. It returns its address and, on the channel, the data that it was sent.
func ServeOnce(tb testing.TB, answer []byte) (address string, asked <-chan string) {
	tb.Helper()
	listener, err := net.Listen("tcp4", "127.0.0.1:0")
	if err != nil {
		tb.Fatal(err)
	}
	tb.Cleanup(func() { _ = listener.Close() })
	requests := make(chan string, 1)
	go func() {
		conn, err := listener.Accept()
		if err != nil {
			return
		}
		defer func() { _ = conn.Close() }()
		request, err := Read(conn, requestLimit)
		if err != nil {
			return
		}
		requests <- string(request)
		_, _ = conn.Write(answer)
	}()
	return listener.Addr().String(), requests
}
