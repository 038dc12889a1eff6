package oomunit

import (
	"path"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
)

// tally gathers the counts.
type tally struct {
	units []Unit
	// byUnit is the place in units by the unit's path.
	byUnit map[string]int
	// slices are above the units, and children the sum of what is directly below each, by its path.
	slices   []Unit
	children map[string]uint64
}

func (t *tally) take(version int, g cgroup.Group, c counts) {
	t.children[path.Dir(g.Path)] += c.kills

	u := Unit{Cgroup: g.Path, Kills: c.kills, AtLimit: c.limits, GroupKills: c.groupKills}

	// A slice of version 1 counts its own processes only, as a unit does. One of version 2 may have nothing in it any more.
	if version == 2 && (g.Unit == "" || path.Ext(g.Path) == ".slice") {
		t.slices = append(t.slices, u)

		return
	}

	if at, known := t.byUnit[g.Unit]; known && g.Unit != "" {
		t.units[at].Kills += c.kills

		return
	}

	t.byUnit[g.Unit] = len(t.units)
	t.units = append(t.units, u)
}

// ended are the kills that a slice has counted and nothing in it has any more. A slice is read before what is in it, so a kill meanwhile makes none.
func (t *tally) ended() (gone []Unit) {
	for _, s := range t.slices {
		if below := t.children[s.Cgroup]; s.Kills > below {
			gone = append(gone, Unit{Cgroup: s.Cgroup, Ended: true, Kills: s.Kills - below})
		}
	}

	return gone
}
