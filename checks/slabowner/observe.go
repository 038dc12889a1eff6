package slabowner

import (
	"context"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slab"
)

// observation is a session between two looks at the caches.
type observation struct {
	reader  *slab.Reader
	before  sizes
	session *session
}

// observe makes one session.
func observe(ctx context.Context, o Options, duration time.Duration) (*Report, error) {
	one, err := newObservation(o)
	if err != nil {
		return nil, err
	}
	defer one.session.close()

	if err := one.session.run(ctx, duration); err != nil {
		return nil, err
	}

	return one.end()
}

// newObservation follows allocations from now on. Whoever calls it must close the session.
func newObservation(o Options) (*observation, error) {
	one := &observation{reader: slab.NewReader(o.ProcPath, o.SysPath, nil)}

	var err error
	if one.before, err = readSizes(one.reader); err != nil {
		return nil, err
	}

	one.session, err = start(o)

	return one, err
}

// end follows no more, and says what was found.
func (o *observation) end() (*Report, error) {
	lasted := time.Since(o.session.begun)
	o.session.detach()

	after, err := readSizes(o.reader)
	if err != nil {
		return nil, err
	}

	counted, err := o.session.maps.count()
	if err != nil {
		return nil, err
	}

	r := o.session.report(counted, lasted)
	r.SUnreclaimGrowthBytes = growth(o.before.sunreclaim, after.sunreclaim)
	caches := changes{&o.before, &after}
	r.UnattributedGrowthBytes = caches.unattributed()

	return r, r.fill(o.session, caches)
}

// report is all that is known without a look at what was followed.
func (s *session) report(counted counters, lasted time.Duration) *Report {
	r := &Report{
		Schema: schema, State: StateDone, StartedAt: float64(s.begun.UnixMilli()) / 1000, DurationS: lasted.Seconds(), OneIn: s.scale(),
		CostPct: costPct(counted, lasted), Events: counted.Events, NotFollowed: counted.Full, NoStack: counted.NoStack, BulkFreeings: s.bulk,
		Owners: []Owner{},
	}

	if s.cut != "" {
		r.State, r.Sentence = StateCutShort, s.cut
	}

	r.StateName = r.State.String()

	return r
}
