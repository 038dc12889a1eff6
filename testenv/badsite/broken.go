package badsite

import (
	"fmt"
	"strings"
)

func brokenBehaviors() []Behavior {
	return []Behavior{TruncatedBody(), TruncatedHeaders(), TruncatedChunks(), TruncatedGzip(), BadChunkSize(), GarbageStatus(), GarbageHeader(), HeaderTooLarge(), CorruptGzip()}
}

// TruncatedBody sends half of the bytes that it announced.
func TruncatedBody() Behavior {
	text := whole(200, goodPage)
	return breaks("truncated_body", "closes before all bytes of Content-Length are sent", "truncated", text[:len(text)-len(goodPage)/2])
}

// TruncatedHeaders closes within its header.
func TruncatedHeaders() Behavior {
	return breaks("truncated_headers", "closes in the middle of the answer's header", "truncated", whole(200, goodPage)[:40])
}

// TruncatedChunks closes without the last chunk.
func TruncatedChunks() Behavior {
	return breaks("truncated_chunks", "closes without the last chunk", "truncated", header(200, "Transfer-Encoding: chunked\r\n")+chunk(goodPage))
}

// TruncatedGzip has the right length and ends within the compressed page.
func TruncatedGzip() Behavior {
	packed := zip(goodPage)
	packed = packed[:len(packed)/2]
	b := breaks("truncated_gzip", "sends half of a compressed page, with that length", "truncated",
		header(200, fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(packed)))+packed)
	b.Probe.Gzip = true
	return b
}

// BadChunkSize sends a chunk whose size is no number.
func BadChunkSize() Behavior {
	return breaks("bad_chunk_size", "sends a chunk whose size is no number", "protocol_error", header(200, "Transfer-Encoding: chunked\r\n")+"xyz\r\n"+goodPage+"\r\n")
}

// GarbageStatus answers what is no HTTP.
func GarbageStatus() Behavior {
	return breaks("garbage_status", "answers a line that is no HTTP", "protocol_error", "SSH-2.0-OpenSSH_9.2p1 Debian-2\r\n\r\n")
}

// GarbageHeader sends a header line without a colon.
func GarbageHeader() Behavior {
	return breaks("garbage_header", "sends a header line without a colon", "protocol_error", "HTTP/1.1 200 OK\r\nthis is no field\r\n\r\n")
}

// HeaderTooLarge sends header lines until the client has enough.
func HeaderTooLarge() Behavior {
	b := breaks("header_too_large", "never stops sending header lines", "protocol_error", "")
	b.answer = func(v *visit) ending {
		ok := v.request() && v.send("HTTP/1.1 200 OK\r\n")
		for n := 0; ok; n++ {
			ok = v.send(fmt.Sprintf("X-%d: %s\r\n", n, strings.Repeat("x", 4<<10)))
		}
		return orderly
	}
	return b
}

// CorruptGzip says gzip and sends text.
func CorruptGzip() Behavior {
	b := breaks("corrupt_gzip", "says that a plain page is compressed", "protocol_error", header(200, fmt.Sprintf("Content-Encoding: gzip\r\nContent-Length: %d\r\n", len(goodPage)))+goodPage)
	b.Probe.Gzip = true
	return b
}

// breaks makes a behavior that reads the request, sends text and closes.
func breaks(name, does, reason, text string) Behavior {
	return Behavior{Name: name, Does: does, Reason: reason, Phase: "transfer", answer: says(text)}.probed()
}
