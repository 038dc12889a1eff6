package nginx

import (
	"cmp"
	"context"
	"errors"
	"slices"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/unit"
)

// Units tells what systemd knows; a unit.Reader does.
type Units interface {
	OfProcess(ctx context.Context, pid int) (string, error)
	Facts(ctx context.Context, names ...string) ([]unit.Facts, error)
}

// sighting is an instance as it was seen running last.
type sighting struct {
	instance instance.Instance
	pid      int
	ticks    uint64
	// unit is the one that systemd keeps the master in; empty for none.
	unit string
	// fallen says that the instance has ended and systemd has not got over it.
	fallen bool
}

// followUnits remembers the running instances and adds the fallen. The caller holds the lock.
func (m *Monitor) followUnits(ctx context.Context, found *instance.Found) {
	if m.options.Units == nil {
		return
	}

	ctx, cancel := unit.Patient(ctx)
	defer cancel()

	m.remember(ctx, found.Instances)
	found.Instances = m.withFallen(ctx, found.Instances)
}

// remember keeps the unit of each running instance for the time when it does not run any more.
func (m *Monitor) remember(ctx context.Context, all []instance.Instance) {
	for _, i := range all {
		if i.Master == nil {
			continue
		}

		s, known := m.seen[i.Name]
		if !known || s.pid != i.Master.PID || s.ticks != i.Master.StartTicks {
			name, err := m.options.Units.OfProcess(ctx, i.Master.PID)
			if err != nil {
				// Who asks for the instance's report is told why.
				continue
			}

			s = sighting{pid: i.Master.PID, ticks: i.Master.StartTicks, unit: name}
		}

		if len(m.seen) >= maxWatched && !known {
			clear(m.seen)
		}

		s.instance, s.fallen = i, false
		m.seen[i.Name] = s
	}
}

// withFallen adds the instances of services that ended without anybody wanting that, so that there is something to tell about
// them: nobody but the process had named them.
func (m *Monitor) withFallen(ctx context.Context, all []instance.Instance) []instance.Instance {
	var gone, units []string

	for name, s := range m.seen {
		if s.mayFall() && !slices.ContainsFunc(all, func(i instance.Instance) bool { return i.Name == name }) {
			gone, units = append(gone, name), append(units, s.unit)
		}
	}

	if len(gone) == 0 {
		return all
	}

	facts, err := m.options.Units.Facts(ctx, units...)

	for at, name := range gone {
		s := m.seen[name]

		// What systemd cannot tell at this moment stays as it was.
		if err == nil {
			s.fallen = facts[at].Fallen()
			m.seen[name] = s

			if facts[at].ActiveState == unit.StateInactive {
				delete(m.seen, name)
			}
		}

		if s.fallen {
			i := s.instance
			i.Master, i.OtherMasters, i.Problems = nil, nil, nil
			all = append(all, i)
		}
	}

	slices.SortStableFunc(all, func(a, b instance.Instance) int { return cmp.Compare(a.Name, b.Name) })

	return all
}

// mayFall tells whether the instance can be tested while it does not run: it is a service of root's own host, and what it was
// found by is whole. Of others only their process could say what to test.
func (s *sighting) mayFall() bool {
	_, unreachable := outOfReach(&s.instance)

	return s.instance.Master.UID == 0 && s.instance.Master.Trusted() && !unreachable && strings.HasSuffix(s.unit, ".service")
}

// unitState is what systemd knows of the instance's unit, also when the instance has ended.
func (m *Monitor) unitState(ctx context.Context, i *instance.Instance) (*unit.Facts, error) {
	if m.options.Units == nil {
		return nil, nil
	}

	ctx, cancel := unit.Patient(ctx)
	defer cancel()

	name, err := m.unitOf(ctx, i)
	if err == nil && name == "" {
		return nil, nil
	}

	var facts []unit.Facts
	if err == nil {
		facts, err = m.options.Units.Facts(ctx, name)
	}

	if errors.Is(err, unit.ErrNoSystemd) {
		return nil, nil
	}

	if err != nil {
		return nil, err
	}

	return &facts[0], nil
}

// unitOf is the name of the unit that the instance is in or was in last.
func (m *Monitor) unitOf(ctx context.Context, i *instance.Instance) (string, error) {
	m.mu.Lock()
	s, known := m.seen[i.Name]
	m.mu.Unlock()

	if i.Master == nil || known && s.pid == i.Master.PID && s.ticks == i.Master.StartTicks {
		return s.unit, nil
	}

	return m.options.Units.OfProcess(ctx, i.Master.PID)
}

// UnitNames are the units of the instances, each once, in order. Without systemd there are none.
func (m *Monitor) UnitNames(ctx context.Context) ([]string, error) {
	found, err := m.find(ctx)
	if err != nil {
		return nil, err
	}

	m.mu.Lock()
	defer m.mu.Unlock()

	var names []string

	for _, i := range found.Instances {
		if s := m.seen[i.Name]; s.unit != "" {
			names = append(names, s.unit)
		}
	}

	slices.Sort(names)

	return slices.Compact(names), nil
}
