package site

import (
	"compress/gzip"
	"errors"
	"io"
	"net/http"
	"strings"
)

const readSize = 4 << 10

// body is what was read of an answer.
type body struct {
	// text is the decoded body: all that was read where a condition needs it, else its first 512 bytes.
	text []byte
	// received is how many bytes came before decoding.
	received int64
}

// counter counts what is read through it.
type counter struct {
	from io.Reader
	n    int64
}

func (c *counter) Read(b []byte) (int, error) {
	n, err := c.from.Read(b)
	c.n += int64(n)

	return n, err
}

// readBody reads until the end or the limit of decoded bytes. With an error it returns what came before it.
func readBody(response *http.Response, t *Target) (body, error) {
	if t.BodyLimit <= 0 {
		return body{}, nil
	}

	raw := &counter{from: response.Body}

	decoded, err := decode(response, raw)
	if err != nil {
		return body{received: raw.n}, err
	}

	text, err := readStart(decoded, t.BodyLimit, t.BodyMatch != nil || t.BodyForbid != nil)

	return body{text: text, received: raw.n}, err
}

func readStart(from io.Reader, limit int64, keepAll bool) ([]byte, error) {
	var (
		kept []byte
		read int64
	)

	chunk := make([]byte, min(limit, readSize))

	for read < limit {
		n, err := from.Read(chunk[:min(int64(len(chunk)), limit-read)])
		read += int64(n)

		if keep := chunk[:n]; keepAll {
			kept = append(kept, keep...)
		} else if len(kept) < textLimit {
			kept = append(kept, keep[:min(n, textLimit-len(kept))]...)
		}

		if errors.Is(err, io.EOF) && !errors.Is(err, io.ErrUnexpectedEOF) {
			return kept, nil
		}

		if err != nil {
			return kept, err
		}
	}

	return kept, nil
}

// decode undoes gzip. A body of no bytes is an empty one, whatever its header says: the answer to HEAD has both.
func decode(response *http.Response, raw *counter) (io.Reader, error) {
	encoding := response.Header.Get("Content-Encoding")
	if !strings.EqualFold(encoding, "gzip") && !strings.EqualFold(encoding, "x-gzip") {
		return raw, nil
	}

	reader, err := gzip.NewReader(raw)
	if errors.Is(err, io.EOF) && raw.n == 0 {
		return raw, nil
	}

	return reader, err
}

// judge holds a complete answer against what the target expects.
func (t *Target) judge(status int, text []byte) Reason {
	switch {
	case !t.Status.Has(status):
		return ReasonStatusUnexpected
	case t.BodyForbid != nil && t.BodyForbid.Match(text):
		return ReasonBodyForbidden
	case t.BodyMatch != nil && !t.BodyMatch.Match(text):
		return ReasonBodyMismatch
	}

	return ReasonOK
}
