package systembus

import (
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"sync"
	"testing"

	systemd "github.com/coreos/go-systemd/v22/dbus"
	"github.com/godbus/dbus/v5"
)

const (
	busName  = "org.freedesktop.systemd1"
	rootPath = "/org/freedesktop/systemd1"
	unitRoot = rootPath + "/unit"
)

// Properties are those of a unit, by "Unit.ActiveState" or "Service.MainPID".
type Properties map[string]any

// Systemd is a double of systemd's manager on a bus. Its methods may be called from any goroutine.
type Systemd struct {
	mu        sync.Mutex
	units     map[string]Properties
	processes map[uint32]string
	asked     map[string]int
	hung      chan struct{}
}

// SystemdT puts a systemd without units on the bus until the test's end.
func (b *Bus) SystemdT(tb testing.TB) *Systemd {
	tb.Helper()
	s := &Systemd{units: make(map[string]Properties), processes: make(map[uint32]string), asked: make(map[string]int)}
	b.JoinT(tb, s)
	tb.Cleanup(s.Answer)
	return s
}

// JoinT puts a systemd on a bus that has been started again.
func (b *Bus) JoinT(tb testing.TB, s *Systemd) {
	tb.Helper()
	conn, err := dbus.Connect("unix:path=" + b.Socket())
	if err != nil {
		tb.Fatal(err)
	}
	// The bus may have ended the connection before.
	tb.Cleanup(func() { _ = conn.Close() })
	err = conn.Export(manager{s}, rootPath, busName+".Manager")
	if err == nil {
		err = conn.ExportSubtree(properties{s}, unitRoot, "org.freedesktop.DBus.Properties")
	}
	if err == nil {
		_, err = conn.RequestName(busName, dbus.NameFlagDoNotQueue)
	}
	if err != nil {
		tb.Fatal(err)
	}
}

// Set gives a unit properties; those that it had keep their values.
func (s *Systemd) Set(unit string, p Properties) {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.units[unit] == nil {
		s.units[unit] = make(Properties)
	}
	maps.Copy(s.units[unit], p)
}

// Forget takes a unit away.
func (s *Systemd) Forget(unit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	delete(s.units, unit)
}

// Put puts a process into a unit.
func (s *Systemd) Put(pid int, unit string) {
	s.mu.Lock()
	defer s.mu.Unlock()
	s.processes[uint32(pid)] = unit
}

// Hang lets every question wait for Answer.
func (s *Systemd) Hang() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hung == nil {
		s.hung = make(chan struct{})
	}
}

// Answer ends Hang.
func (s *Systemd) Answer() {
	s.mu.Lock()
	defer s.mu.Unlock()
	if s.hung != nil {
		close(s.hung)
		s.hung = nil
	}
}

// Asked returns how often each property and method was asked for.
func (s *Systemd) Asked() map[string]int {
	s.mu.Lock()
	defer s.mu.Unlock()
	return maps.Clone(s.asked)
}

// begin counts a question and waits while the double hangs.
func (s *Systemd) begin(question string) {
	s.mu.Lock()
	s.asked[question]++
	hung := s.hung
	s.mu.Unlock()
	if hung != nil {
		<-hung
	}
}

// manager is the interface org.freedesktop.systemd1.Manager.
type manager struct{ s *Systemd }

// GetUnitByPID answers with the path of a process's unit.
func (m manager) GetUnitByPID(pid uint32) (dbus.ObjectPath, *dbus.Error) {
	m.s.begin("GetUnitByPID")
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	unit, ok := m.s.processes[pid]
	if !ok {
		return "", dbus.NewError("org.freedesktop.systemd1.NoUnitForPID", []any{fmt.Sprintf("PID %d does not belong to any loaded unit.", pid)})
	}
	return pathOf(unit), nil
}

// ListUnitsFiltered answers with the units in one of the states.
func (m manager) ListUnitsFiltered(states []string) ([]systemd.UnitStatus, *dbus.Error) {
	m.s.begin("ListUnitsFiltered")
	m.s.mu.Lock()
	defer m.s.mu.Unlock()
	var listed []systemd.UnitStatus
	for name, p := range m.s.units {
		if state, ok := p["Unit.ActiveState"].(string); ok && slices.Contains(states, state) {
			listed = append(listed, systemd.UnitStatus{
				Name: name, LoadState: "loaded", ActiveState: state, Path: pathOf(name), JobPath: "/",
			})
		}
	}
	return listed, nil
}

// properties is the interface org.freedesktop.DBus.Properties of every unit.
type properties struct{ s *Systemd }

// Get answers with a property. As with the real one, each unit of which nothing is known is "not-found".
func (p properties) Get(message dbus.Message, kind, name string) (dbus.Variant, *dbus.Error) {
	kind = strings.TrimPrefix(kind, busName+".")
	p.s.begin(kind + "." + name)
	p.s.mu.Lock()
	defer p.s.mu.Unlock()
	path, _ := message.Headers[dbus.FieldPath].Value().(dbus.ObjectPath)
	known := ofNoUnit
	for unit, p := range p.s.units {
		if pathOf(unit) == path {
			known = p
		}
	}
	value, ok := known[kind+"."+name]
	if !ok {
		return dbus.Variant{}, dbus.NewError("org.freedesktop.DBus.Error.UnknownProperty", []any{"Unknown property " + name})
	}
	return dbus.MakeVariant(value), nil
}

func pathOf(unit string) dbus.ObjectPath {
	return dbus.ObjectPath(unitRoot + "/" + systemd.PathBusEscape(unit))
}

// Running are properties of a service as systemd 252 tells them where it does not count memory.
func Running(pid int) Properties {
	return Properties{
		"Unit.LoadState": "loaded", "Unit.ActiveState": "active", "Unit.SubState": "running", "Unit.UnitFileState": "enabled",
		"Unit.ActiveEnterTimestamp": uint64(1795484843123456), "Unit.StateChangeTimestamp": uint64(1795484843123456),
		"Unit.InvocationID": []byte{0x0f, 0x1e, 0x2d, 0x3c, 0x4b, 0x5a, 0x69, 0x78, 0x87, 0x96, 0xa5, 0xb4, 0xc3, 0xd2, 0xe1, 0xf0},
		"Service.Result":    "success", "Service.MainPID": uint32(pid), "Service.NRestarts": uint32(0), "Service.MemoryCurrent": uint64(math.MaxUint64),
	}
}

// OOMKilled are what changes in a service without Restart= when the OOM killer has killed one of its processes.
func OOMKilled() Properties {
	return Properties{
		"Unit.ActiveState": "failed", "Unit.SubState": "failed", "Unit.StateChangeTimestamp": uint64(1795485843123456),
		"Service.Result": "oom-kill", "Service.MainPID": uint32(0),
	}
}

// ofNoUnit is what systemd 252 says of nosuch.service.
var ofNoUnit = Properties{
	"Unit.LoadState": "not-found", "Unit.ActiveState": "inactive", "Unit.SubState": "dead", "Unit.UnitFileState": "",
	"Unit.ActiveEnterTimestamp": uint64(0), "Unit.StateChangeTimestamp": uint64(0), "Unit.InvocationID": []byte{},
	"Service.Result": "success", "Service.MainPID": uint32(0), "Service.NRestarts": uint32(0), "Service.MemoryCurrent": uint64(math.MaxUint64),
}
