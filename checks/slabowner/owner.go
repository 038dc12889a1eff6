package slabowner

import (
	"cmp"
	"fmt"
	"maps"
	"math"
	"slices"
	"strings"
	"time"
)

// owner describes a group. What it is called is filled in by whoever knows.
func (g *grouping) owner(one *group) Owner {
	o := Owner{
		Cache: one.cache, Aliases: []string{}, Large: one.large, Process: one.process, Processes: len(one.pids), UID: int(one.uid), Stack: []string{},
		Bytes: uint64(one.bytes), Objects: uint64(math.Round(one.objects)), ErrorPct: one.errorPct(g.scale), Tracked: one.tracked,
		OldestS: time.Duration(g.now - one.oldest).Seconds(),
	}

	for _, pid := range slices.Sorted(maps.Keys(one.pids)) {
		if len(o.PIDs) < maxPIDs {
			o.PIDs = append(o.PIDs, int(pid))
		}
	}

	return o
}

func (o *Owner) describe() {
	where := "cache " + o.Cache
	if len(o.Aliases) > 0 {
		where += " (merged with " + strings.Join(o.Aliases[:min(3, len(o.Aliases))], ", ") + ")"
	}

	if o.Large {
		where = "no cache (large kmalloc)"
	}

	if interrupt := o.interrupt(); interrupt != "" {
		o.Sentence = fmt.Sprintf("%d MiB more are in %s, allocated by %s in a %s interrupt while %s ran", o.Bytes>>20, where, functionOf(o.CallSite),
			interrupt, o.Process)

		return
	}

	o.Sentence = fmt.Sprintf("%s holds %d MiB more in %s, allocated by %s", o.Process, o.Bytes>>20, where, functionOf(o.CallSite))
}

// interrupt tells what kind of software interrupt allocated, by the most frequent stack; empty for the process itself.
func (o *Owner) interrupt() string {
	kind := ""

	for _, frame := range o.Stack {
		switch functionOf(frame) {
		case "net_rx_action", "net_tx_action":
			kind = "network"
		case "do_softirq", "__do_softirq", "handle_softirqs":
			return cmp.Or(kind, "software")
		}
	}

	return ""
}
