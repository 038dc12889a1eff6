package server

import (
	"encoding/json"
	"fmt"
	"net/http"
	"runtime/debug"
	"strconv"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// answer is the body of a response.
type answer struct {
	contentType string
	body        []byte
}

const jsonType = "application/json"

func encode(value any) (*answer, error) {
	if text, ok := value.([]byte); ok {
		return &answer{"text/plain; charset=utf-8", text}, nil
	}

	body, err := json.Marshal(value)
	if err != nil {
		return nil, fmt.Errorf("cannot encode the answer: %w; report it", err)
	}

	return &answer{jsonType, body}, nil
}

func write(w http.ResponseWriter, status int, a *answer) {
	w.Header().Set("Content-Type", a.contentType)
	w.Header().Set("Content-Length", strconv.Itoa(len(a.body)))
	w.WriteHeader(status)
	// Whoever does not take it has gone.
	_, _ = w.Write(a.body)
}

// failure is an error with a code of its own.
type failure struct {
	code    helper.Code
	message string
}

func (f *failure) Error() string { return f.message }

func (f *failure) status() int {
	switch f.code {
	case helper.CodeMalformed:
		return http.StatusBadRequest
	case helper.CodeUnknownVerb, helper.CodeUnknownInstance:
		return http.StatusNotFound
	case helper.CodeRefused:
		return http.StatusForbidden
	case helper.CodeBusy, helper.CodeConfiguration:
		return http.StatusServiceUnavailable
	case helper.CodeTooLate:
		return http.StatusGatewayTimeout
	}

	return http.StatusInternalServerError
}

func (f *failure) answer() *answer {
	// It has strings only.
	body, _ := json.Marshal(helper.Failure{Schema: 1, Code: f.code, Message: f.message})

	return &answer{jsonType, body}
}

// recovered makes an error of a panic, whose stack goes to the journal.
func (s *Server) recovered(verb helper.Verb, panicked any) error {
	s.options.Log.Printf("<3>recovered a panic in %s: %v\n%s", verb, panicked, debug.Stack())

	return &failure{helper.CodeFailed, fmt.Sprintf("cannot do %s: it panicked (%v); the stack is in the journal, please report it", verb, panicked)}
}
