package nginx

import (
	"context"
	"slices"
	"sync"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

const (
	// answerTime is kept of the agent's deadline, and patience is the most that an answer waits for a test: the agent
	// gives an item 3 seconds by default.
	answerTime = 300 * time.Millisecond
	patience   = 2 * time.Second
	// restFactor is how many times its own duration a test is followed by rest, so that a file that changes all the time
	// does not keep the host busy.
	restFactor = 10
	maxRest    = 5 * time.Minute
	// minRest is the rest of a result that may pass by itself, such as a name that does not resolve now.
	minRest = time.Minute
)

// Causes of a test.
const (
	causeFirst      = "first"
	causeChanged    = "changed"
	causeRevalidate = "revalidate"
)

// watched is what is known of one instance.
type watched struct {
	mu   sync.Mutex
	last *outcome
	// running is closed when the test that runs has ended; nil while none runs.
	running     chan struct{}
	runningFrom time.Time
	tests       uint64
	sideEffects uint64
	loaded      loaded
}

// outcome is the last test and what it was made of.
type outcome struct {
	test        Test
	verdict     verdict
	instance    instance.Instance
	fingerprint fingerprint
	contents    contents
	facts       testFacts
	sideEffects []SideEffect
	// ended says that there was no test as the master had ended.
	ended   bool
	began   time.Time
	endedAt time.Time
}

// due tells why a test is needed now, and which file of the instance's tree has changed; the cause is empty where none is.
func (w *watched) due(i *instance.Instance, files tree.Tree, revalidate time.Duration, now time.Time) (cause, changed string) {
	last := w.last
	if last == nil {
		return causeFirst, ""
	}

	age := now.Sub(last.endedAt)
	if age < last.rest() {
		return "", ""
	}

	if !sameTest(&last.instance, i) {
		return causeChanged, i.Config
	}

	// Where nobody can look now, as at a master's that has just ended, nothing is known to have changed.
	if _ = files.Do(func() { changed = last.fingerprint.changed() }); changed != "" {
		return causeChanged, changed
	}

	if !last.fingerprint.settled {
		return causeChanged, ""
	}

	if age >= revalidate || last.verdict.passing && age >= minRest {
		return causeRevalidate, ""
	}

	return "", ""
}

// sameTest tells whether two sights of an instance would be tested the same way.
func sameTest(a, b *instance.Instance) bool {
	return a.Binary == b.Binary && a.Config == b.Config && a.Prefix == b.Prefix && a.Arguments == b.Arguments &&
		containerOf(a) == containerOf(b) && slices.Equal(versionOf(a), versionOf(b))
}

func containerOf(i *instance.Instance) (root instance.Root) {
	if i.Master != nil {
		root = i.Master.Root
	}

	return root
}

func versionOf(i *instance.Instance) instance.Version {
	if i.Build == nil {
		return nil
	}

	return i.Build.Version
}

// rest is how long no test follows, whatever has changed.
func (o *outcome) rest() time.Duration {
	return min(maxRest, restFactor*time.Duration(o.test.DurationS*float64(time.Second)))
}

// refresh starts a test where one is due and waits for its end as long as the answer may.
func (m *Monitor) refresh(ctx context.Context, w *watched, i *instance.Instance) {
	w.mu.Lock()

	if w.running == nil {
		if cause, changed := w.due(i, m.treeOf(i), m.options.Revalidate, time.Now()); cause != "" {
			m.start(w, i, cause, changed)
		}
	}

	running := w.running
	w.mu.Unlock()

	if running == nil {
		return
	}

	wait := patience
	if deadline, ok := ctx.Deadline(); ok {
		wait = min(wait, time.Until(deadline)-answerTime)
	}

	timer := time.NewTimer(max(wait, 0))
	defer timer.Stop()

	select {
	case <-running:
	case <-timer.C:
	case <-ctx.Done():
	}
}

// start begins a test in the background. The caller holds w's lock.
func (m *Monitor) start(w *watched, i *instance.Instance, cause, changed string) {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.stopped {
		return
	}

	done := make(chan struct{})
	w.running, w.runningFrom = done, time.Now()
	one := *i

	m.testing.Add(1)
	m.tests.Go(func() {
		defer m.testing.Add(-1)

		o := m.test(one)
		o.test.Cause, o.test.ChangedFile = cause, changed

		w.mu.Lock()
		defer w.mu.Unlock()

		w.last, w.running = o, nil
		w.tests++
		w.sideEffects += uint64(len(o.sideEffects))

		close(done)
	})
}
