package unit

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
)

// property is one that is asked for, and what it becomes. A unit has some four hundred: to tell them all takes twice the CPU time
// of systemd, 0.4 ms with version 252.
type property struct {
	// kind is the last word of the D-Bus interface: Unit, or the type of the unit.
	kind string
	name string
	// take puts a value into the facts, and is false for one that is not of the property's type.
	take func(*Facts, any) bool
}

func common() []property {
	return []property{
		{"Unit", "LoadState", typed(func(f *Facts, word string) { f.LoadState = word })},
		{"Unit", "ActiveState", typed(func(f *Facts, word string) {
			f.ActiveState = valueOf(stateNames, word, StateOther)
			f.ActiveStateName = f.ActiveState.String()
		})},
		{"Unit", "SubState", typed(func(f *Facts, word string) { f.SubState = word })},
		{"Unit", "UnitFileState", typed(func(f *Facts, word string) { f.UnitFileState = word })},
		{"Unit", "ActiveEnterTimestamp", count(func(f *Facts, us uint64) { f.ActiveAt = unixTime(us) })},
		{"Unit", "StateChangeTimestamp", count(func(f *Facts, us uint64) { f.ChangedAt = unixTime(us) })},
		{"Unit", "InvocationID", typed(func(f *Facts, id []byte) { f.InvocationID = hex.EncodeToString(id) })},
	}
}

// ofRuns are what a service and a scope have alike.
func ofRuns(kind string) []property {
	return []property{
		{kind, "Result", typed(func(f *Facts, word string) {
			f.Result = new(valueOf(resultNames, word, ResultOther))
			f.ResultName = f.Result.String()
		})},
		{kind, "MemoryCurrent", count(func(f *Facts, bytes uint64) { f.MemoryCurrentBytes = &bytes })},
	}
}

func ofServices(kind string) []property {
	return []property{
		{kind, "MainPID", typed(func(f *Facts, pid uint32) { f.MainPID = pid })},
		{kind, "NRestarts", typed(func(f *Facts, restarts uint32) { f.Restarts = new(uint64(restarts)) })},
	}
}

// propertiesOf are those that a unit of this name has.
func propertiesOf(name string) []property {
	switch {
	case strings.HasSuffix(name, ".service"):
		return slices.Concat(common(), ofRuns("Service"), ofServices("Service"))
	case strings.HasSuffix(name, ".scope"):
		return slices.Concat(common(), ofRuns("Scope"))
	default:
		return common()
	}
}

func typed[T any](set func(*Facts, T)) func(*Facts, any) bool {
	return func(f *Facts, value any) bool {
		v, ok := value.(T)
		if ok {
			set(f, v)
		}

		return ok
	}
}

// count passes over the largest number, by which systemd says that it does not count.
func count(set func(*Facts, uint64)) func(*Facts, any) bool {
	return typed(func(f *Facts, n uint64) {
		if n != math.MaxUint64 {
			set(f, n)
		}
	})
}

// unixTime turns microseconds into seconds; 0 is what never was.
func unixTime(us uint64) *int64 {
	if us == 0 {
		return nil
	}

	return new(int64(us / 1_000_000))
}
