package unit

import (
	"context"
	"errors"
	"fmt"
	"slices"
	"sync"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

// call asks for one property of a unit.
type call struct {
	of *Facts
	property

	value *systemd.Property
	err   error
}

// read asks for all properties of units at once, so that it takes little more than one answer's time.
func read(ctx context.Context, conn *systemd.Conn, names []string) ([]Facts, error) {
	all := make([]Facts, len(names))

	var calls []*call

	for i, name := range names {
		all[i].Unit = name

		for _, p := range propertiesOf(name) {
			calls = append(calls, &call{of: &all[i], property: p})
		}
	}

	return all, answer(ctx, conn, calls)
}

// answer makes calls and puts their answers into the facts.
func answer(ctx context.Context, conn *systemd.Conn, calls []*call) error {
	var made sync.WaitGroup

	for some := range slices.Chunk(calls, maxCalls) {
		for _, c := range some {
			made.Go(func() { c.value, c.err = conn.GetUnitTypePropertyContext(ctx, c.of.Unit, c.kind, c.name) })
		}

		made.Wait()
	}

	for _, c := range calls {
		switch {
		case isUnknown(c.err):
		case c.err != nil:
			return fmt.Errorf("cannot read %s of %s: %w", c.name, c.of.Unit, c.err)
		case !c.take(c.of, c.value.Value.Value()):
			return fmt.Errorf("cannot read %s of %s: its type is %s, which systemd's is not; see `systemctl show %s`",
				c.name, c.of.Unit, c.value.Value.Signature(), c.of.Unit)
		}
	}

	return nil
}

// isUnknown is systemd's answer where it or the unit does not have a property.
func isUnknown(err error) bool {
	var refused dbus.Error

	return errors.As(err, &refused) && slices.Contains([]string{
		"org.freedesktop.DBus.Error.UnknownProperty", "org.freedesktop.DBus.Error.UnknownInterface",
	}, refused.Name)
}
