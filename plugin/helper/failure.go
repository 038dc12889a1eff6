package helper

import (
	"errors"
	"io/fs"

	"zabbix-agent2-plugin-hosting/checks/nginx"
)

// Code is why the helper did not do what it was asked for.
type Code string

// The codes, each with its own status of HTTP.
const (
	CodeMalformed       Code = "malformed"
	CodeUnknownVerb     Code = "unknown_verb"
	CodeRefused         Code = "refused"          // of this peer nothing is taken
	CodeBusy            Code = "busy"             // too much else is being done
	CodeTooLate         Code = "too_late"         // it takes longer than the caller waits
	CodeConfiguration   Code = "configuration"    // the helper's own configuration cannot be used
	CodePermission      Code = "permission"       // the kernel refused the helper
	CodeNotSupported    Code = "not_supported"    // this host does not have it
	CodeUnknownInstance Code = "unknown_instance" // no nginx has this name
	CodeFailed          Code = "failed"
)

// Failure is the body of an answer that is not 200.
type Failure struct {
	Schema  int    `json:"schema"`
	Code    Code   `json:"code"`
	Message string `json:"message"`
}

// kinds pairs the codes that mean an error of a check with that error, so that errors.Is works across the boundary.
var kinds = []struct {
	code Code
	kind error
}{
	{CodeUnknownInstance, nginx.ErrUnknownInstance},
	{CodePermission, fs.ErrPermission},
	{CodeNotSupported, fs.ErrNotExist},
}

// CodeOf is the code of an error of a check.
func CodeOf(err error) Code {
	for _, k := range kinds {
		if errors.Is(err, k.kind) {
			return k.code
		}
	}

	return CodeFailed
}

// checkError is an error of a check as the caller would have had it from the check itself.
type checkError struct{ Failure }

func (e *checkError) Error() string { return e.Message }

// Is tells the kinds of CodeOf.
func (e *checkError) Is(target error) bool {
	for _, k := range kinds {
		if k.code == e.Code {
			return errors.Is(k.kind, target)
		}
	}

	return false
}
