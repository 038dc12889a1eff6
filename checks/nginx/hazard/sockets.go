package hazard

import (
	"bytes"
	"io"
	"strconv"
	"strings"
)

const (
	// maxSockets bounds the list of a host with ever so many sockets.
	maxSockets     = 16 << 20
	acceptsClients = 0x10000 // __SO_ACCEPTCON
)

// ParseUnixListeners reads /proc/net/unix (unix(7)) and returns the paths on which somebody listens:
//
//	Num       RefCount Protocol Flags    Type St Inode Path
//	ffff8...: 00000002 00000000 00010000 0001 01 23456 /run/php/php8.2-fpm.sock
func ParseUnixListeners(r io.Reader) ([]Listener, error) {
	text, err := io.ReadAll(io.LimitReader(r, maxSockets))
	if err != nil {
		return nil, err
	}

	var all []Listener

	for line := range bytes.Lines(text) {
		fields, path := cutFields(strings.TrimSuffix(string(line), "\n"), 7)

		flags, err := strconv.ParseUint(fields[3], 16, 64)
		if err == nil && flags&acceptsClients != 0 && path != "" {
			all = append(all, Listener{Network: "unix", Path: path})
		}
	}

	return all, nil
}

// cutFields cuts the first fields off a line, whose rest may hold blanks.
func cutFields(line string, count int) (fields []string, rest string) {
	fields = make([]string, count)
	for i := range fields {
		fields[i], line, _ = strings.Cut(strings.TrimLeft(line, " "), " ")
	}

	return fields, line
}

// ParseMigrateReq reads /proc/sys/net/ipv4/tcp_migrate_req (ip-sysctl of the kernel's documentation); nil for nonsense.
func ParseMigrateReq(text string) *bool {
	switch strings.TrimSpace(text) {
	case "0":
		return new(bool)
	case "1":
		on := true

		return &on
	}

	return nil
}
