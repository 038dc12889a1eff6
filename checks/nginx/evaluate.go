package nginx

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/nginx/hazard"
	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
)

const schema = 1

// Report tells what is known of an instance; where a test is due it waits for it as long as the answer may. Without a
// name it is of the only instance. For a name that there is not errors.Is(err, ErrUnknownInstance).
func (m *Monitor) Report(ctx context.Context, name string) (*Report, error) {
	i, err := m.choose(ctx, name)
	if err != nil {
		return nil, err
	}

	state, stateErr := m.unitState(ctx, i)
	w := m.of(i.Name)
	m.refresh(ctx, w, i)

	r := m.describe(i)
	r.UnitState = state
	r.Problems = orEmpty(slices.Clone(i.Problems))

	if stateErr != nil {
		r.Problems = append(r.Problems, stateErr.Error())
	}

	sockets := m.lookAtSockets(ctx, i, r)

	w.mu.Lock()
	defer w.mu.Unlock()

	w.fill(r, time.Now())
	w.fillReload(r, i, time.Now())

	if w.last != nil {
		m.fillHazards(r, i, w.last, sockets)
	}

	return r, nil
}

// describe tells what an instance is.
func (m *Monitor) describe(i *instance.Instance) *Report {
	r := &Report{
		Schema: schema, Instance: i.Name, Product: productText(i), Binary: i.Binary, Config: i.Config, Prefix: i.Prefix,
		Errors: []Message{}, Warnings: []Message{}, Hazards: []Hazard{}, HazardName: hazard.ID(0).String(), HazardSeverityName: hazard.Severity(0).String(), SideEffects: []SideEffect{},
		Foreigners: []listener.Foreigner{}, StartedAt: m.startedAt.Unix(),
	}

	master := i.Master
	if master == nil {
		return r
	}

	r.BinaryReplaced = master.Deleted && master.Replaced
	r.Master = &Master{PID: master.PID, StartedAt: master.StartedAt.Unix(), LoadedAt: loadedAt(master).Unix(), User: master.User, Unit: master.Unit}

	for _, worker := range master.Workers {
		if worker.Kind == instance.KindWorker {
			r.Master.Workers++
		}
	}

	r.Master.Workers += master.WorkersOmitted

	return r
}

func productText(i *instance.Instance) string {
	if i.Build == nil {
		return ""
	}

	return i.Build.Text
}

// loadedAt is when the oldest process that works with the present configuration began. A reload replaces them all.
func loadedAt(master *instance.Master) time.Time {
	for _, worker := range master.Workers {
		if worker.Kind == instance.KindWorker || worker.Kind == instance.KindCacheManager {
			return worker.StartedAt
		}
	}

	return master.StartedAt
}

// fill tells what the last test found. The caller holds w's lock.
func (w *watched) fill(r *Report, now time.Time) {
	r.Tests, r.SideEffectsTotal = w.tests, w.sideEffects

	if w.running != nil {
		r.TestRunning, r.TestRunningS = true, now.Sub(w.runningFrom).Seconds()
	}

	if w.last == nil {
		r.State, r.Sentence = StateNotTested, "the first test has not ended yet"
		r.StateName = r.State.String()

		return
	}

	v := w.last.verdict
	r.State, r.StateName, r.Sentence = v.state, v.state.String(), v.sentence
	r.Errors, r.Warnings, r.MessagesOmitted = orEmpty(v.errors), orEmpty(v.warnings), v.omitted
	r.SideEffects = orEmpty(w.last.sideEffects)
	test := w.last.test
	test.AgeS = now.Sub(w.last.endedAt).Seconds()
	r.Test = &test
}

func orEmpty[T any](list []T) []T {
	if list == nil {
		return []T{}
	}

	return list
}

// fillReload tells whether the workers run with what is on disk. The caller holds w's lock.
func (w *watched) fillReload(r *Report, i *instance.Instance, now time.Time) {
	if i.Master == nil || w.last == nil || w.last.contents.stamps == nil {
		return
	}

	w.loaded.observe(loadedAt(i.Master), &w.last.contents)

	if since := w.loaded.pendingSince; !since.IsZero() {
		r.ReloadPending, r.ReloadPendingSince = true, new(since.Unix())
		r.ReloadPendingS = max(0, now.Sub(since).Seconds())
	}
}

// lookAtSockets finds who else receives the clients of a running instance, and returns all sockets of its network.
func (m *Monitor) lookAtSockets(ctx context.Context, i *instance.Instance, r *Report) *listener.Snapshot {
	snapshot, err := m.listeners.Snapshot(ctx, listener.Query{PID: m.networkOf(i)})
	if err != nil {
		r.Problems = append(r.Problems, err.Error())

		return nil
	}

	if i.Master == nil {
		return snapshot
	}

	found, err := m.listeners.Foreigners(ctx, snapshot, mastersOf(i))
	if err != nil && !errors.Is(err, fs.ErrNotExist) {
		r.Problems = append(r.Problems, fmt.Sprintf("cannot tell who else listens: %s", err))
	}

	if err != nil {
		return snapshot
	}

	r.Foreigners, r.ForeignersOmitted = orEmpty(found.Found), found.Omitted

	for _, master := range found.Masters {
		if master.Error != "" {
			r.Problems = append(r.Problems, master.Error)
		}
	}

	return snapshot
}
