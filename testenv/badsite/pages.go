package badsite

import (
	"fmt"
	"net/http"
)

const (
	databaseError = "<!DOCTYPE html>\n<html><head><title>Database Error</title></head>\n<body><h1>" + ForbiddenPattern + "</h1></body></html>\n"
	otherPage     = "<!DOCTYPE html>\n<html><head><title>Welcome</title></head>\n<body><h1>It works!</h1></body></html>\n"
)

func pageBehaviors() []Behavior {
	return []Behavior{Status(http.StatusNotFound), Status(http.StatusInternalServerError), Status(http.StatusBadGateway), DatabaseErrorStatus(), OtherPage(), DatabaseErrorPage()}
}

// Status answers with a status other than 200 to 399.
func Status(status int) Behavior {
	return page(fmt.Sprintf("status_%d", status), fmt.Sprintf("answers %d", status), "status_unexpected", whole(status, http.StatusText(status)+"\n"))
}

// DatabaseErrorStatus answers what WordPress does without its database.
func DatabaseErrorStatus() Behavior {
	return page("database_error_status", "answers 500 and WordPress's page without its database", "status_unexpected", whole(http.StatusInternalServerError, databaseError))
}

// OtherPage answers with a page that lacks Pattern.
func OtherPage() Behavior {
	b := page("body_mismatch", "answers 200 with another page", "body_mismatch", whole(http.StatusOK, otherPage))
	b.Probe.BodyMatch = Pattern
	return b
}

// DatabaseErrorPage answers as some caches in front of WordPress do: its error, with status 200.
func DatabaseErrorPage() Behavior {
	b := page("body_forbidden", "answers 200 and WordPress's page without its database", "body_forbidden", whole(http.StatusOK, databaseError))
	b.Probe.BodyForbid = ForbiddenPattern
	return b
}

// page makes a behavior whose answer is whole and not the one to be had. No phase fails.
func page(name, does, reason, text string) Behavior {
	return Behavior{Name: name, Does: does, Reason: reason, Phase: "transfer", answer: says(text)}.probed()
}
