package badsite

import (
	"fmt"
	"io"
)

const (
	// floodSize is above what the socket buffers of both sides hold (tcp_wmem and tcp_rmem), so that the client cannot have sent all.
	floodSize = 16 << 20
	floodTake = 64 << 10
)

func resetBehaviors() []Behavior {
	return []Behavior{ResetAtOnce(), ResetInRequest(), ResetAfterRequest(), Stolen(), ResetInHeaders(), ResetAfterHeaders(), ResetInBody(), ResetInChunk(), ResetAfterHTTP2Request(), ResetInHTTP2(), ClosedAtOnce(), ClosedAfterRequest()}
}

// ResetAtOnce resets what it accepts. A client may have sent its request by then; where it must not, use ResetInHandshake or ResetInRequest.
func ResetAtOnce() Behavior {
	return Behavior{
		Name: "reset_at_once", Does: "resets right after accept", Reason: "reset_before_response", Also: []string{"reset_before_request_sent"}, Phase: "wait",
		answer: func(*visit) ending { return reset },
	}.probed()
}

// ResetInRequest resets while the client still sends its request.
func ResetInRequest() Behavior {
	b := Behavior{
		Name: "reset_in_request", Does: "resets after 64 KiB of a request that is longer than all buffers", Reason: "reset_before_request_sent", Phase: "send",
		answer: func(v *visit) ending {
			_ = v.tcp.SetReadBuffer(floodTake)
			_, _ = io.CopyN(io.Discard, v.in, floodTake)
			return reset
		},
	}
	b.Probe.HeaderBytes = floodSize
	return b.probed()
}

// ResetAfterRequest resets after the request: the signature of a stolen connection.
func ResetAfterRequest() Behavior {
	return resets("reset_after_request", "resets after it has read the request", "reset_before_response", "wait", "")
}

// Stolen has a thief on the port get all connections, as in the incident.
func Stolen() Behavior {
	return Behavior{
		Name: "stolen", Does: "has another listener on the port take the connection and exit", Reason: "reset_before_response", Phase: "wait",
		reception: stolen, answer: says(whole(200, goodPage)),
	}.probed()
}

// ResetInHeaders resets after half of the answer's header.
func ResetInHeaders() Behavior {
	text := whole(200, goodPage)
	return resets("reset_in_headers", "resets after half of the answer's header", "reset_in_response", "transfer", text[:len("HTTP/1.1 200 OK\r\nConn")])
}

// ResetAfterHeaders resets before the body's first byte.
func ResetAfterHeaders() Behavior {
	return resets("reset_after_headers", "resets after the answer's header", "reset_in_response", "transfer", header(200, fmt.Sprintf("Content-Length: %d\r\n", len(goodPage))))
}

// ResetInBody resets in the middle of the body.
func ResetInBody() Behavior {
	text := whole(200, goodPage)
	return resets("reset_in_body", "resets in the middle of the body", "reset_in_response", "transfer", text[:len(text)-len(goodPage)/2])
}

// ResetInChunk resets in the middle of a chunk.
func ResetInChunk() Behavior {
	text := chunk(goodPage)
	return resets("reset_in_chunk", "resets in the middle of a chunk", "reset_in_response", "transfer", header(200, "Transfer-Encoding: chunked\r\n")+text[:len(text)/2])
}

// ResetInHTTP2 resets in the middle of a body of HTTP/2.
func ResetInHTTP2() Behavior {
	b := Behavior{
		Name: "reset_in_http2", Does: "resets in the middle of the body of an HTTP/2 answer", Reason: "reset_in_response", Phase: "transfer",
		// The reset can overtake the frames before it.
		Also: []string{"reset_before_response"}, TLS: true, speaksHTTP2: true, answer: resetHTTP2(goodPage),
	}
	b.Probe.HTTP2 = true
	return b.probed()
}

// ResetAfterHTTP2Request resets after it has read a request of HTTP/2.
func ResetAfterHTTP2Request() Behavior {
	b := Behavior{
		Name: "reset_after_http2_request", Does: "resets after it has read the request of HTTP/2", Reason: "reset_before_response", Phase: "wait",
		TLS: true, speaksHTTP2: true, answer: resetHTTP2(""),
	}
	b.Probe.HTTP2 = true
	return b.probed()
}

// ClosedAtOnce closes what it accepts without a word.
func ClosedAtOnce() Behavior {
	return Behavior{
		Name: "closed_at_once", Does: "sends its FIN right after accept, reads on and says nothing", Reason: "closed_before_response", Phase: "wait",
		answer: func(*visit) ending { return orderly },
	}.probed()
}

// ClosedAfterRequest closes without an answer.
func ClosedAfterRequest() Behavior {
	return Behavior{
		Name: "closed_after_request", Does: "reads the request and closes", Reason: "closed_before_response", Phase: "wait", answer: says(""),
	}.probed()
}

// resets makes a behavior that reads the request, sends text and resets.
func resets(name, does, reason, phase, text string) Behavior {
	return Behavior{Name: name, Does: does, Reason: reason, Phase: phase, answer: func(v *visit) ending {
		if v.request() {
			v.send(text)
		}
		return reset
	}}.probed()
}
