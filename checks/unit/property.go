package unit

import (
	"encoding/hex"
	"math"
	"slices"
	"strings"
)

// property is one that is asked for, and what it becomes. A unit has some four hundred, and to tell them all costs systemd more
// than these.
type property struct {
	// kind is the last word of the D-Bus interface: Unit, or the type of the unit.
	kind string
	name string
	// take puts a value into the facts, and is false for one that is not of the property's type.
	take func(*Facts, any) bool
}

func common() []property {
	return []property{
		{"Unit", "LoadState", text(func(f *Facts, word string) { f.LoadState = word })},
		{"Unit", "ActiveState", text(func(f *Facts, word string) {
			f.ActiveState = ActiveState(number(stateNames, word))
			f.ActiveStateName = f.ActiveState.String()
		})},
		{"Unit", "SubState", text(func(f *Facts, word string) { f.SubState = word })},
		{"Unit", "UnitFileState", text(func(f *Facts, word string) { f.UnitFileState = word })},
		{"Unit", "ActiveEnterTimestamp", count(func(f *Facts, us uint64) { f.ActiveAt = unixTime(us) })},
		{"Unit", "StateChangeTimestamp", count(func(f *Facts, us uint64) { f.ChangedAt = unixTime(us) })},
		{"Unit", "InvocationID", func(f *Facts, value any) bool {
			id, ok := value.([]byte)
			f.InvocationID = hex.EncodeToString(id)

			return ok
		}},
	}
}

// ofRuns are what a service and a scope have alike.
func ofRuns(kind string) []property {
	return []property{
		{kind, "Result", text(func(f *Facts, word string) {
			f.Result = new(Result(number(resultNames, word)))
			f.ResultName = f.Result.String()
		})},
		{kind, "MemoryCurrent", count(func(f *Facts, bytes uint64) { f.MemoryCurrentBytes = &bytes })},
	}
}

func ofServices(kind string) []property {
	return []property{
		{kind, "MainPID", small(func(f *Facts, pid uint32) { f.MainPID = pid })},
		{kind, "NRestarts", small(func(f *Facts, restarts uint32) { f.Restarts = new(uint64(restarts)) })},
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

func text(set func(*Facts, string)) func(*Facts, any) bool {
	return func(f *Facts, value any) bool {
		word, ok := value.(string)
		if ok {
			set(f, word)
		}

		return ok
	}
}

func small(set func(*Facts, uint32)) func(*Facts, any) bool {
	return func(f *Facts, value any) bool {
		n, ok := value.(uint32)
		if ok {
			set(f, n)
		}

		return ok
	}
}

// count passes over the largest number, by which systemd says that it does not count.
func count(set func(*Facts, uint64)) func(*Facts, any) bool {
	return func(f *Facts, value any) bool {
		n, ok := value.(uint64)
		if ok && n != math.MaxUint64 {
			set(f, n)
		}

		return ok
	}
}

// unixTime turns microseconds into seconds; 0 is what never was.
func unixTime(us uint64) *int64 {
	if us == 0 {
		return nil
	}

	return new(int64(us / 1_000_000))
}
