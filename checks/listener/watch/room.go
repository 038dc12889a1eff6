package watch

import "fmt"

// closeUnkept has a socket that found no room in the table not be judged for what the kernel refused.
func (b *book) closeUnkept(c *closing) {
	if !c.inListen || b.fullAt == 0 {
		return
	}

	for _, p := range b.waiting {
		if p.first.key == c.key {
			p.closedAt, p.refused = c.at, true
		}
	}
}

// full says why the table has not all there is; empty where it has.
func (b *book) full() string {
	if b.fullAt == 0 {
		return ""
	}

	return fmt.Sprintf("cannot tell of each socket whether it is an nginx's: more than %d receive clients, and some that were opened since are not known; "+
		"find in ss -ltup who holds so many, and stop it", maxEntries)
}
