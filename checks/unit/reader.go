package unit

import (
	"cmp"
	"context"
	"errors"
	"fmt"
	"slices"
	"strings"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// maxFailed bounds the failed units that are looked at.
const maxFailed = 64

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

// isNoUnit is systemd's answer about a process that is in no unit of its own, or that has ended.
func isNoUnit(err error) bool {
	var refused dbus.Error

	return errors.As(err, &refused) && refused.Name == "org.freedesktop.systemd1.NoUnitForPID"
}

// Facts returns those of units, in their order. A unit that does not exist is "not-found".
func (r *Reader) Facts(ctx context.Context, names ...string) ([]Facts, error) {
	var all []Facts

	err := r.ask(ctx, func(ctx context.Context, conn *systemd.Conn) error {
		all = make([]Facts, len(names))

		for i, name := range names {
			var err error
			if all[i], err = read(ctx, conn, name); err != nil {
				return err
			}
		}

		return nil
	})
	if err != nil {
		return nil, err
	}

	return all, nil
}

// Failed are units that have failed.
type Failed struct {
	// Units are sorted by name.
	Units []Facts
	// Omitted counts those that were one too many to look at.
	Omitted int
}

// Failed returns the services and scopes that have failed.
func (r *Reader) Failed(ctx context.Context) (Failed, error) {
	var found Failed

	err := r.ask(ctx, func(ctx context.Context, conn *systemd.Conn) error {
		listed, err := conn.ListUnitsFilteredContext(ctx, []string{StateFailed.String()})
		if err != nil {
			return fmt.Errorf("cannot list the failed units: %w", err)
		}

		listed = slices.DeleteFunc(listed, func(u systemd.UnitStatus) bool {
			return !strings.HasSuffix(u.Name, ".service") && !strings.HasSuffix(u.Name, ".scope")
		})
		slices.SortFunc(listed, func(a, b systemd.UnitStatus) int { return cmp.Compare(a.Name, b.Name) })

		found = Failed{Omitted: max(0, len(listed)-maxFailed)}

		for _, u := range listed[:min(len(listed), maxFailed)] {
			facts, err := read(ctx, conn, u.Name)
			if err != nil {
				return err
			}

			found.Units = append(found.Units, facts)
		}

		return nil
	})

	return found, err
}
