package badsite

import (
	"bytes"
	"compress/gzip"
	"fmt"
	"strings"
	"time"
)

const (
	goodPage = "<!DOCTYPE html>\n<html><head><title>Test</title></head>\n<body><p>" + Pattern + ".</p></body></html>\n"
	// hugeSize is far more than a probe reads.
	hugeSize = 64 << 20
	filler   = "<!-- nothing to see here, but it goes on for quite a while, so read as much of it as you like -->\n"
)

func goodBehaviors() []Behavior {
	return []Behavior{OK(), OKOverTLS(), OKHTTP2(), OKChunked(), OKGzip(), OKUntilClose(), OKCutTLS(), OKEarlyHints(), OKHugeBody(), OKEndlessBody(), OKSlowFirstByte(impatience / 3)}
}

// OK answers 200 with the good page.
func OK() Behavior {
	return fine("ok", "answers 200 with a page", says(whole(200, goodPage)))
}

// OKOverTLS does it with a good certificate.
func OKOverTLS() Behavior {
	b := fine("ok_over_tls", "answers 200 with a page over TLS, with a good certificate", says(whole(200, goodPage)))
	b.TLS = true
	return b
}

// OKHTTP2 does it in HTTP/2.
func OKHTTP2() Behavior {
	b := fine("ok_http2", "answers 200 with a page over HTTP/2", answerHTTP2(func(*visit) string { return goodPage }))
	b.TLS, b.speaksHTTP2, b.Probe.HTTP2 = true, true, true
	return b
}

// OKChunked sends the page in chunks.
func OKChunked() Behavior {
	return fine("ok_chunked", "answers 200 with a page in chunks", says(header(200, "Transfer-Encoding: chunked\r\n")+
		chunk(goodPage[:20])+chunk(goodPage[20:])+chunk("")))
}

// OKGzip sends the page compressed.
func OKGzip() Behavior {
	packed := zip(goodPage)
	b := fine("ok_gzip", "answers 200 with a page compressed by gzip, whatever the client accepts",
		says(header(200, fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(packed)))+packed))
	b.Probe.Gzip = true
	return b
}

// OKUntilClose says by closing where the page ends.
func OKUntilClose() Behavior {
	return fine("ok_until_close", "answers 200 with a page of no given length and closes", says(header(200, "")+goodPage))
}

// OKCutTLS ends without TLS's farewell, which Go and browsers forgive between two records.
func OKCutTLS() Behavior {
	b := fine("ok_cut_tls", "answers 200 with a page of no given length and ends without TLS's close_notify", func(v *visit) ending {
		if v.request() {
			v.send(header(200, "") + goodPage)
		}
		return cut
	})
	b.TLS = true
	return b
}

// OKEarlyHints sends an interim answer first.
func OKEarlyHints() Behavior {
	return fine("ok_early_hints", "sends 103 before 200 and a page", says("HTTP/1.1 103 Early Hints\r\nLink: </style.css>; rel=preload\r\n\r\n"+whole(200, goodPage)))
}

// OKHugeBody sends 64 MiB.
func OKHugeBody() Behavior {
	return fine("ok_huge_body", "answers 200 with 64 MiB that begin with a page", func(v *visit) ending {
		if v.request() && v.send(header(200, fmt.Sprintf("Content-Length: %d\r\n", hugeSize))+goodPage) {
			v.pour(hugeSize - len(goodPage))
		}
		return orderly
	})
}

// OKEndlessBody never stops sending.
func OKEndlessBody() Behavior {
	return fine("ok_endless_body", "answers 200 with a page and never stops sending", func(v *visit) ending {
		if v.request() && v.send(header(200, "")+goodPage) {
			v.pour(-1)
		}
		return orderly
	})
}

// OKSlowFirstByte answers after d, which must be below the probe's timeout.
func OKSlowFirstByte(d time.Duration) Behavior {
	b := fine("ok_slow_first_byte", fmt.Sprintf("answers 200 with a page after %s", d), func(v *visit) ending {
		if v.request() && v.wait(d) {
			v.send(whole(200, goodPage))
		}
		return orderly
	})
	b.Probe.Timeout = d + patience
	return b
}

// fine makes a behavior that is no failure.
func fine(name, does string, answer func(*visit) ending) Behavior {
	return Behavior{Name: name, Does: does, Reason: "ok", Probe: Probe{BodyMatch: Pattern}, answer: answer}.probed()
}

// pour sends size bytes of no meaning, or without end where size is negative, until the client has enough.
func (v *visit) pour(size int) {
	block := strings.Repeat(filler, 32<<10/len(filler))
	for size != 0 {
		if size > 0 {
			block = block[:min(size, len(block))]
			size -= len(block)
		}
		if !v.send(block) {
			return
		}
	}
}

// chunk is one chunk of a chunked body; the empty one ends it.
func chunk(text string) string { return fmt.Sprintf("%x\r\n%s\r\n", len(text), text) }

func zip(text string) string {
	var packed bytes.Buffer
	writer := gzip.NewWriter(&packed)
	// A buffer takes all.
	_, _ = writer.Write([]byte(text))
	_ = writer.Close()
	return packed.String()
}
