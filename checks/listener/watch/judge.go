package watch

import (
	"slices"
	"time"
)

const (
	// settled is how old a socket must be before it counts as one: the kernel may refuse listen(2) microseconds after it has
	// begun.
	settled = time.Millisecond
	// maxWaiting bounds how many episodes wait for a look at whose sockets they met.
	maxWaiting = 1024
	// maxConcerns bounds a payload.
	maxConcerns = 4
)

// judge decides which of those that met others are foreign, by what happened until a moment. It says whether somebody must
// look whose the sockets are.
func (b *book) judge(until time.Duration) (look bool) {
	forced := len(b.waiting) - maxWaiting

	b.waiting = slices.DeleteFunc(b.waiting, func(p *episode) bool {
		forced--

		if p.closedAt == 0 && until < p.openedAt+settled {
			return false
		}

		if forced < 0 && b.isUnclear(p) {
			look = true

			return false
		}

		b.decide(p)
		p.met, p.unclearAt = nil, 0

		return true
	})

	return look
}

// wait has an episode be judged that met others.
func (b *book) wait(p *episode, met []meeting) {
	if len(met) > 0 && len(p.met) == 0 && !p.counted {
		p.met = met
		b.waiting = append(b.waiting, p)
	}
}

// isUnclear says whether a look could tell whom the episode met: it met no socket that is known to be nginx's, and one that
// was opened since the last look. The answer holds until the next one.
func (b *book) isUnclear(p *episode) bool {
	if b.refreshedAt != 0 && p.unclearAt == b.refreshedAt {
		return true
	}

	unclear := !slices.ContainsFunc(p.met, func(m meeting) bool { return len(m.other.masters) > 0 }) &&
		slices.ContainsFunc(p.met, func(m meeting) bool { return m.other.openedAt >= b.refreshedAt })
	if unclear {
		p.unclearAt = b.refreshedAt
	}

	return unclear
}

func (b *book) decide(p *episode) {
	if p.refused {
		return
	}

	for _, m := range p.met {
		masters := b.mastersOf(m.other)
		if len(masters) == 0 || b.belongs(p, masters) {
			continue
		}

		p.concern(Concern{
			MasterPID: masters[0], MasterAddress: m.other.socket.Address,
			Relation: m.relation, RelationName: m.relation.String(),
		})
	}

	if len(p.concerns) == 0 {
		return
	}

	if p.before {
		b.list(p)
	}

	p.counted = true
	b.foreign++
	b.foreignByPort.add(p.key.address.Port())
	b.foreignByProgram.add(p.program())
	b.lastForeigners.add(p)
}

// concern keeps what is worst of each nginx.
func (p *episode) concern(c Concern) {
	for i := range p.concerns {
		if have := &p.concerns[i]; have.MasterPID == c.MasterPID {
			if c.Relation < have.Relation {
				*have = c
			}

			return
		}
	}

	if len(p.concerns) < maxConcerns {
		p.concerns = append(p.concerns, c)
	}
}

// mastersOf are the nginx whose socket it is: that holds it, or that opened it where it was closed before anybody looked.
func (b *book) mastersOf(e *entry) []int {
	if len(e.masters) > 0 || e.by == nil {
		return e.masters
	}

	for i := range b.nginx[e.namespace] {
		if masters := b.nginx[e.namespace][i].Masters; b.descends(e.by, masters) {
			return masters
		}
	}

	return nil
}

// belongs says whether the episode is of the nginx. One that made itself a daemon has its sockets from a process that is
// gone.
func (b *book) belongs(p *episode, masters []int) bool {
	return slices.ContainsFunc(p.first.masters, func(pid int) bool { return slices.Contains(masters, pid) }) ||
		b.descends(p.by, masters)
}
