package helper

import (
	"errors"
	"fmt"
	"net/http"
	"net/url"
	"regexp"
	"strconv"
	"strings"
	"time"
)

// Request is one question to the helper.
type Request struct {
	Verb Verb
	// Port is a local port; 0 stands for all.
	Port uint16
	// Instance is nginx.ID of an instance's name; empty where there is only one.
	Instance string
	// N is how many rows are wanted; 0 where the verb has none.
	N int
	// Wait is how long the caller waits for the answer, in whole milliseconds; 0 as long as the verb may take.
	Wait time.Duration
}

const (
	// maxTarget is longer than any request that is taken.
	maxTarget = 128
	maxWaitMS = 60_000
	maxCount  = 1_000
)

// What is wrong with a request. The helper tells which.
var (
	ErrUnknownVerb = errors.New("there is no such verb in this version")
	ErrMalformed   = errors.New("not a request of this interface")
)

var instanceID = regexp.MustCompile(`^[0-9a-f]{16}$`)

// Target returns the request's target as HTTP has it (RFC 9112, 3.2), in the one form that ParseRequest takes.
func (r Request) Target() string {
	info, _ := r.Verb.Info()
	separator := "?"

	var target strings.Builder

	target.WriteString(prefix + string(r.Verb))

	for _, p := range info.parameters {
		if value := r.value(p); value != "" {
			target.WriteString(separator + string(p) + "=" + value)
			separator = "&"
		}
	}

	return target.String()
}

func (r Request) value(p parameter) string {
	switch {
	case p == paramPort && r.Port != 0:
		return strconv.Itoa(int(r.Port))
	case p == paramCount && r.N != 0:
		return strconv.Itoa(r.N)
	case p == paramInstance:
		return r.Instance
	case p == paramWait && r.Wait > 0:
		return strconv.FormatInt(r.Wait.Milliseconds(), 10)
	}

	return ""
}

// ParseRequest understands the first line of an HTTP request. What is not exactly as Target writes it is refused: errors.Is tells
// ErrUnknownVerb from ErrMalformed.
func ParseRequest(method, target string) (Request, error) {
	if method != http.MethodGet {
		return Request{}, fmt.Errorf("%w: only GET is taken", ErrMalformed)
	}

	if len(target) > maxTarget {
		return Request{}, fmt.Errorf("%w: it is longer than %d bytes", ErrMalformed, maxTarget)
	}

	name, query, _ := strings.Cut(target, "?")

	verb, ok := strings.CutPrefix(name, prefix)
	info, known := Verb(verb).Info()

	if !ok || !known {
		return Request{}, fmt.Errorf("cannot do %q: %w", name, ErrUnknownVerb)
	}

	r := Request{Verb: info.Verb}

	values, err := url.ParseQuery(query)
	if err != nil {
		return Request{}, fmt.Errorf("%w: its parameters cannot be read", ErrMalformed)
	}

	for _, p := range info.parameters {
		if err := r.set(p, values.Get(string(p))); err != nil {
			return Request{}, err
		}
	}

	// Whatever is said twice, escaped, unknown or in another order is no request of ours.
	if r.Target() != target {
		return Request{}, fmt.Errorf("%w: %s takes %s", ErrMalformed, info.Verb, info.takes())
	}

	return r, nil
}

func (r *Request) set(p parameter, value string) error {
	if value == "" {
		return nil
	}

	var err error

	switch p {
	case paramPort:
		var port uint64
		port, err = strconv.ParseUint(value, 10, 16)
		r.Port = uint16(port)
	case paramCount:
		r.N, err = strconv.Atoi(value)
		if err == nil && (r.N < 1 || r.N > maxCount) {
			err = strconv.ErrRange
		}
	case paramInstance:
		if r.Instance = value; !instanceID.MatchString(value) {
			err = strconv.ErrSyntax
		}
	case paramWait:
		var milliseconds uint64
		milliseconds, err = strconv.ParseUint(value, 10, 32)
		r.Wait = time.Duration(milliseconds) * time.Millisecond

		if milliseconds > maxWaitMS {
			err = strconv.ErrRange
		}
	}

	if err != nil {
		return fmt.Errorf("%w: %s is not what it takes", ErrMalformed, p)
	}

	return nil
}

// takes tells what may follow the verb.
func (i VerbInfo) takes() string {
	if len(i.parameters) == 0 {
		return "no parameters"
	}

	names := make([]string, 0, len(i.parameters))
	for _, p := range i.parameters {
		names = append(names, string(p))
	}

	return strings.Join(names, ", ") + ", each once, in this order"
}
