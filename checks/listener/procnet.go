package listener

import (
	"bufio"
	"bytes"
	"context"
	"encoding/binary"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"net/netip"
	"os"
	"path/filepath"
	"strconv"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

const (
	// lineSize is more than any line of these files has.
	lineSize = 4 << 10
	// linesPerLook is how often a long file is left when nobody waits for it any more.
	linesPerLook = 1024
)

var errTable = errors.New("it does not begin as the kernel's table of sockets does")

// readTables reads tcp and tcp6, or udp and udp6, below dir. It is what remains where sock_diag cannot be asked: slower,
// and without cookie, cgroup, backlog, interface and whether [::] leaves IPv4 alone.
func readTables(ctx context.Context, dir string, network Network, all *collection) error {
	for _, name := range []string{string(network), string(network) + "6"} {
		path := filepath.Join(dir, name)

		err := readTable(ctx, path, network, all)
		if errors.Is(err, fs.ErrNotExist) && name != string(network) {
			// The kernel has no IPv6.
			return nil
		}

		if err != nil {
			return fmt.Errorf("cannot read %s: %w", path, err)
		}
	}

	return nil
}

func readTable(ctx context.Context, path string, network Network, all *collection) error {
	file, err := os.Open(path)
	if err != nil {
		return bare(err)
	}
	defer file.Close()

	return parseTable(ctx, file, network, all)
}

// bare takes the path off, which the caller's sentence names.
func bare(err error) error {
	if path, ok := errors.AsType[*fs.PathError](err); ok {
		return path.Err
	}

	return err
}

// parseTable reads /proc/net/tcp, tcp6, udp or udp6 (proc_pid_net(5)). Lines of another form are passed over.
func parseTable(ctx context.Context, in io.Reader, network Network, all *collection) error {
	lines := bufio.NewReaderSize(in, lineSize)

	title, err := lines.ReadSlice('\n')
	if err != nil || !bytes.HasPrefix(bytes.TrimSpace(title), []byte("sl ")) {
		return errTable
	}

	for count := 0; ; count++ {
		if count%linesPerLook == 0 && ctx.Err() != nil {
			return ctx.Err()
		}

		line, err := lines.ReadSlice('\n')

		switch {
		case err == nil:
			if s, ok := parseTableLine(line, network); ok {
				all.add(&s)
			}
		case errors.Is(err, io.EOF):
			return nil
		case !errors.Is(err, bufio.ErrBufferFull):
			return err
		}
	}
}

// parseTableLine reads one line and says whether it is a socket that receives clients:
//
//	0: 0100007F:1F90 00000000:0000 0A 00000000:00000000 00:00000000 00000000  1000  0 12345 1 ...
func parseTableLine(line []byte, network Network) (s Socket, ok bool) {
	const (
		local = 1 + iota
		_
		state
		queues
		_
		_
		uid
		_
		inode
		columns
	)

	var fields [columns][]byte

	count := 0
	for field := range bytes.FieldsSeq(line) {
		fields[count] = field
		if count++; count == columns {
			break
		}

		if count == state+1 && !hasState(field, network.state()) {
			return s, false
		}
	}

	if count < columns {
		return s, false
	}

	_, received, _ := bytes.Cut(fields[queues], []byte(":"))
	queue, err := strconv.ParseUint(string(received), 16, 32)
	owner, isOwner := procfile.Uint(fields[uid])
	number, isNumber := procfile.Uint(fields[inode])
	address, isAddress := parseTableAddress(fields[local])

	ok = err == nil && isOwner && isNumber && isAddress && owner <= 1<<32-1 && number <= 1<<32-1

	return Socket{Network: network, Address: address, UID: uint32(owner), Inode: uint32(number), Queue: uint32(queue)}, ok
}

func hasState(field []byte, state byte) bool {
	value, err := strconv.ParseUint(string(field), 16, 8)

	return err == nil && byte(value) == state
}

// parseTableAddress reads words of 32 bits, each as the processor reads them from memory, a colon and the port.
func parseTableAddress(text []byte) (netip.AddrPort, bool) {
	const wordDigits = 8

	words, port, found := bytes.Cut(text, []byte(":"))
	number, err := strconv.ParseUint(string(port), 16, 16)

	if !found || err != nil || len(words) != wordDigits && len(words) != 4*wordDigits {
		return netip.AddrPort{}, false
	}

	raw := make([]byte, 0, 16)

	for ; len(words) > 0; words = words[wordDigits:] {
		word, err := strconv.ParseUint(string(words[:wordDigits]), 16, 32)
		if err != nil {
			return netip.AddrPort{}, false
		}

		raw = binary.NativeEndian.AppendUint32(raw, uint32(word))
	}

	addr, ok := netip.AddrFromSlice(raw)

	return netip.AddrPortFrom(addr, uint16(number)), ok
}
