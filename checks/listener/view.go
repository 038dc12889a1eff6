package listener

import (
	"bytes"
	"context"
	"errors"
	"fmt"
	"io/fs"
	"path/filepath"
	"strconv"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// view is one network namespace while a report is made.
type view struct {
	snapshot  *Snapshot
	strangers []stranger
}

// views reads the caller's network namespace and those of the masters.
func (r *Reader) views(ctx context.Context, report *Report, o Options) ([]*view, error) {
	places, failed, err := r.neighborhoods(o.Masters)
	if err != nil {
		return nil, err
	}

	report.Masters = append(report.Masters, failed...)
	report.ForeignersKnown = len(failed) == 0

	var views []*view

	for _, place := range places {
		v, err := r.view(ctx, report, Query{Port: o.Port, PID: place.pid}, place.masters)

		switch {
		case err == nil:
			views = append(views, v)
		case place.pid == 0 || ctx.Err() != nil:
			return nil, err
		default:
			report.ForeignersKnown = false
			report.Masters = append(report.Masters, place.unknown(err)...)
		}
	}

	return views, nil
}

func (r *Reader) view(ctx context.Context, report *Report, q Query, masters []Master) (*view, error) {
	s, err := r.Snapshot(ctx, q)
	if err != nil {
		return nil, err
	}

	n := Namespace{ID: r.namespaceID(q.PID), PID: q.PID, SocketsOmitted: s.Omitted, Notes: s.Notes}

	for i := range s.Sockets {
		if s.Sockets[i].Network == TCP {
			n.TCPListeners++
		} else {
			n.UDPSockets++
		}
	}

	if n.Counters, err = r.Counters(q.PID); err != nil {
		n.Notes = append(n.Notes, err.Error())
	}

	if n.TCPMigrateReq, err = r.TCPMigrateReq(q.PID); err != nil {
		n.Notes = append(n.Notes, err.Error())
	}

	families, states := r.findFamilies(masters, s.Sockets)
	for _, state := range states {
		report.ForeignersKnown = report.ForeignersKnown && state.Error == ""
	}

	report.Masters = append(report.Masters, states...)
	report.Namespaces = append(report.Namespaces, n)
	report.TCPListeners += n.TCPListeners
	report.UDPSockets += n.UDPSockets

	return &view{snapshot: s, strangers: findStrangers(s.Sockets, families)}, nil
}

// TCPMigrateReq reads net.ipv4.tcp_migrate_req of the network namespace of the process, pid 0 being this one; nil on
// kernels before 5.14, which have none (ip-sysctl.rst of the kernel).
func (r *Reader) TCPMigrateReq(pid int) (value *int, err error) {
	const name = "net.ipv4.tcp_migrate_req"

	err = r.inNamespace(pid, func() error {
		data, err := procfile.Read(filepath.Join(r.proc, "sys/net/ipv4/tcp_migrate_req"), nil)
		if errors.Is(err, fs.ErrNotExist) {
			return nil
		}

		if err != nil {
			return fmt.Errorf("cannot read %s: %w", name, err)
		}

		number, err := strconv.Atoi(string(bytes.TrimSpace(data)))
		if err != nil {
			return fmt.Errorf("cannot understand %s: %w", name, err)
		}

		value = &number

		return nil
	})

	return value, err
}
