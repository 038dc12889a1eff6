package unit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

const (
	// maxFailed bounds the failed units that are looked at, maxKilled those that are told.
	maxFailed = 64
	maxKilled = 16
)

// OfProcess returns the name of the unit that a process is in, by its id as systemd sees it: this process's own for 0. It is
// empty for a process in no unit, such as one of a container that systemd did not start.
func (r *Reader) OfProcess(ctx context.Context, pid int) (string, error) {
	var name string

	err := r.ask(ctx, func(ctx context.Context, conn *systemd.Conn) error {
		var err error
		name, err = conn.GetUnitNameByPID(ctx, uint32(pid))

		return err
	})
	if isNoUnit(err) {
		return "", nil
	}

	if err != nil {
		return "", fmt.Errorf("cannot tell the unit of process %d: %w", pid, err)
	}

	return name, nil
}

// isNoUnit is systemd's answer about a process that is in no unit, or that has ended.
func isNoUnit(err error) bool {
	var refused dbus.Error

	return errors.As(err, &refused) && refused.Name == "org.freedesktop.systemd1.NoUnitForPID"
}

// Facts returns those of units, in their order. A unit that does not exist is "not-found".
func (r *Reader) Facts(ctx context.Context, names ...string) ([]Facts, error) {
	var all []Facts

	err := r.ask(ctx, func(ctx context.Context, conn *systemd.Conn) error {
		var err error
		all, err = read(ctx, conn, names)

		return err
	})
	if err != nil {
		return nil, err
	}

	return all, nil
}

// Killed are units in which memory ran out and that systemd has not started again.
type Killed struct {
	// Units are sorted by name.
	Units []Facts
	// Omitted counts those that were one too many, and failed units that were one too many to look at.
	Omitted int
}

// Killed returns the failed services and scopes whose result is ResultOOMKill.
func (r *Reader) Killed(ctx context.Context) (Killed, error) {
	var found Killed

	err := r.ask(ctx, func(ctx context.Context, conn *systemd.Conn) error {
		names, err := failed(ctx, conn)
		if err != nil {
			return err
		}

		killed, err := keepKilled(ctx, conn, names[:min(len(names), maxFailed)])
		if err != nil {
			return err
		}

		told := killed[:min(len(killed), maxKilled)]
		found.Omitted = len(names) - min(len(names), maxFailed) + len(killed) - len(told)
		found.Units, err = read(ctx, conn, told)

		return err
	})
	if err != nil {
		return Killed{}, err
	}

	return found, nil
}

// failed returns the names of the services and scopes that have failed.
func failed(ctx context.Context, conn *systemd.Conn) ([]string, error) {
	listed, err := conn.ListUnitsFilteredContext(ctx, []string{StateFailed.String()})
	if err != nil {
		return nil, fmt.Errorf("cannot list the failed units: %w", err)
	}

	var names []string

	for _, u := range listed {
		if strings.HasSuffix(u.Name, ".service") || strings.HasSuffix(u.Name, ".scope") {
			names = append(names, u.Name)
		}
	}

	slices.Sort(names)

	return names, nil
}

// keepKilled asks for the results alone.
func keepKilled(ctx context.Context, conn *systemd.Conn, names []string) ([]string, error) {
	all := make([]Facts, len(names))

	var calls []*call

	for i, name := range names {
		all[i].Unit = name
		at := slices.IndexFunc(propertiesOf(name), func(p property) bool { return p.name == "Result" })
		calls = append(calls, &call{of: &all[i], property: propertiesOf(name)[at]})
	}

	if err := answer(ctx, conn, calls); err != nil {
		return nil, err
	}

	var killed []string

	for _, f := range all {
		if f.StoppedByOOM() {
			killed = append(killed, f.Unit)
		}
	}

	return killed, nil
}
