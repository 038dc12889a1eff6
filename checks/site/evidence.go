package site

// evidenceCount is how many failures a site keeps.
const evidenceCount = 20

// evidence is the last failures. It takes no memory before the first. Results are capped where they are made.
type evidence struct {
	ring []*Result
	next int
}

func (e *evidence) add(r *Result) {
	if len(e.ring) < evidenceCount {
		e.ring = append(e.ring, r)

		return
	}

	e.ring[e.next] = r
	e.next = (e.next + 1) % evidenceCount
}

// newest returns the failures, the last first, and never nil.
func (e *evidence) newest() []*Result {
	all := make([]*Result, 0, len(e.ring))
	for i := range e.ring {
		all = append(all, e.ring[(e.next+len(e.ring)-1-i)%len(e.ring)])
	}

	return all
}
