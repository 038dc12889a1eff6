package instance

import (
	"bytes"
	"regexp"
	"strings"
)

const (
	// maxTitle is more than the kernel shows of a title: a page (get_mm_proctitle in fs/proc/base.c).
	maxTitle = 8 << 10
	pageSize = 4 << 10
	// maxAngie is how much of its command line Angie shows (ngx_update_process_title).
	maxAngie = 2047
)

// title is what nginx and its forks write over their command line (ngx_setproctitle).
type title struct {
	product Product
	master  bool
	kind    WorkerKind
	// command is the master's command line, its arguments joined with blanks.
	command string
	// length is the title's in bytes, and cut tells that it had no room for the whole command line.
	length int
	cut    bool
}

var (
	masterTitle = regexp.MustCompile(`(?s)^([A-Za-z][\w.-]{0,31}): (?:master|single) process (.*)$`)
	// angieTitle is "v1.9.0 PRO #1 [/usr/sbin/angie -c /etc/angie/angie.conf]".
	angieTitle = regexp.MustCompile(`(?s)^v[\d.]+(?: [^\[#]*)? #\d+ \[(.*)$`)
)

// parseTitle reads /proc/PID/cmdline. It is false for what is no process of nginx; comm is asked for the name of the
// program's file where the title has another one.
func parseTitle(cmdline []byte, comm func() string) (t title, ok bool) {
	line, _, ended := bytes.Cut(cmdline, []byte{0})
	name, rest, found := bytes.Cut(line[:min(len(line), maxTitle)], []byte(": "))

	// Most processes end here.
	if !found || len(name) > 32 || !bytes.Contains(rest, []byte(" process")) {
		return title{}, false
	}

	t.product, t.length = productOf(string(name)), len(line)
	if t.product == ProductOther {
		t.product = productOf(comm())
	}

	if t.product == ProductOther {
		return title{}, false
	}

	if text := masterTitle.FindSubmatch(line); text != nil {
		t.master = true
		t.command = string(text[2])
		t.cut = !ended && len(line) >= pageSize
		t.unwrap()

		return t, true
	}

	t.kind = kindOf(string(rest))

	return t, true
}

// unwrap takes Angie's brackets off.
func (t *title) unwrap() {
	inner := angieTitle.FindStringSubmatch(t.command)
	if inner == nil {
		return
	}

	command, closed := strings.CutSuffix(inner[1], "]")
	t.command = command
	t.cut = t.cut || !closed || len(inner[1]) >= maxAngie
}

// kindOf reads "worker process is shutting down" and, with Angie's generation, "worker process #6".
func kindOf(text string) WorkerKind {
	switch {
	case strings.HasPrefix(text, "worker process is shutting down"):
		return KindWorkerShuttingDown
	case strings.HasPrefix(text, "worker process"):
		return KindWorker
	case strings.HasPrefix(text, "cache manager process"):
		return KindCacheManager
	case strings.HasPrefix(text, "cache loader process"):
		return KindCacheLoader
	}

	return KindOther
}
