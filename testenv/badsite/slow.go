package badsite

import (
	"fmt"
	"time"
)

func slowBehaviors() []Behavior {
	return []Behavior{SilentAfterRequest(), HalfOpen(), SlowHeaders(), SlowBody(), StalledBody(), StalledChunks()}
}

// SilentAfterRequest takes the request and never answers.
func SilentAfterRequest() Behavior {
	return Behavior{Name: "response_timeout", Does: "takes the request and never answers", Reason: "response_timeout", Phase: "wait", answer: func(v *visit) ending {
		if v.request() {
			v.wait(forever)
		}
		return orderly
	}}.timesOut()
}

// HalfOpen lets the client connect and loses all that it sends. Where the kernel lets the caller filter no TCP, the request is
// acknowledged and never read.
func HalfOpen() Behavior {
	return Behavior{Name: "half_open", Does: "lets the kernel answer the SYN and loses all that follows", Reason: "response_timeout", Phase: "wait", reception: mute}.timesOut()
}

// SlowHeaders sends its header a byte at a time.
func SlowHeaders() Behavior {
	return Behavior{
		Name: "slow_headers", Does: "sends its header a byte each 50 ms", Reason: "response_timeout", Also: []string{"transfer_timeout"}, Phase: "transfer",
		answer: drip("", whole(200, goodPage)),
	}.timesOut()
}

// SlowBody sends its body a byte at a time.
func SlowBody() Behavior {
	return Behavior{
		Name: "transfer_timeout", Does: "sends its body a byte each 50 ms", Reason: "transfer_timeout", Phase: "transfer",
		answer: drip(header(200, fmt.Sprintf("Content-Length: %d\r\n", len(goodPage))), goodPage),
	}.timesOut()
}

// StalledBody stops in the middle of its body and keeps the connection.
func StalledBody() Behavior {
	text := whole(200, goodPage)
	return stalls("stalled_body", "stops in the middle of its body and keeps the connection", text[:len(text)-len(goodPage)/2])
}

// StalledChunks never sends the last chunk and keeps the connection.
func StalledChunks() Behavior {
	return stalls("stalled_chunks", "never sends the last chunk and keeps the connection", header(200, "Transfer-Encoding: chunked\r\n")+chunk(goodPage))
}

func stalls(name, does, text string) Behavior {
	return Behavior{Name: name, Does: does, Reason: "transfer_timeout", Phase: "transfer", answer: func(v *visit) ending {
		if v.request() && v.send(text) {
			v.wait(forever)
		}
		return orderly
	}}.timesOut()
}

// drip sends first at once and the rest a byte at a time.
func drip(first, rest string) func(*visit) ending {
	const pause = 50 * time.Millisecond
	return func(v *visit) ending {
		ok := v.request() && v.send(first)
		for i := 0; ok && i < len(rest); i++ {
			ok = v.send(rest[i:i+1]) && v.wait(pause)
		}
		return orderly
	}
}
