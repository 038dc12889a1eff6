package cli

import (
	"context"
	"flag"
	"fmt"
	"os"
	"os/signal"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

// watchInterval is not shorter, as the kernel walks its lists under a lock to write slabinfo.
const watchInterval = 2 * time.Second

// ownersTime is long enough for a leak that matters.
const ownersTime = 30 * time.Second

const slabDetails = `
slab owners follows allocations for a while, by the kernel's tracepoints, and names who holds what was not freed: cache, process and code path. It needs root,
and slows a host that allocates all the time by some percent meanwhile.
`

// slabView is what the slab command shows.
type slabView struct {
	n      int
	order  slab.Sort
	asJSON bool
}

func (a *app) slab(flags *flag.FlagSet, args []string) error {
	view := slabView{}
	sort := flags.String("sort", "size", "by `WHAT`: size, growth or objects (size)")
	watch := flags.Bool("watch", false, "show it anew every 2 s")
	duration := flags.Duration("for", ownersTime, "with owners: `TIME` to follow allocations, 5s to 2m (30s)")

	flags.IntVar(&view.n, "n", 15, "how many caches, `N` from 1 to 1000 (15)")
	flags.BoolVar(&view.asJSON, "json", false, "print JSON")

	if err := parseBetween(flags, args, 0, 1); err != nil {
		return err
	}

	switch verb := flags.Arg(0); verb {
	case "":
	case "owners":
		return a.slabOwners(*duration, view)
	default:
		return fmt.Errorf("cannot run slab %s: there is only owners; %w", verb, errUsage)
	}

	var err error
	if view.order, err = slab.ParseSort(*sort); err != nil {
		return fmt.Errorf("cannot run slab: %w; %w", err, errUsage)
	}

	tracker := a.checks().Slab()

	if !*watch {
		return a.showSlab(tracker, view)
	}

	return a.watchSlab(tracker, view)
}

func (a *app) showSlab(tracker *slab.Tracker, view slabView) error {
	text, err := a.slabText(tracker, view)
	if err != nil {
		return err
	}

	return a.print(text)
}

func (a *app) slabText(tracker *slab.Tracker, view slabView) (string, error) {
	report, err := tracker.Get(view.n, view.order)
	if err != nil {
		return "", err
	}

	if view.asJSON {
		return jsonLine(report)
	}

	return a.heading(table.SlabTotals(report)) + "\n" + a.heading(table.SlabCaches(report)), nil
}

// watchSlab shows the caches until the person has seen enough, and leaves the last view behind.
func (a *app) watchSlab(tracker *slab.Tracker, view slabView) error {
	return a.watchTable(view.asJSON, func() (string, error) {
		text, err := a.slabText(tracker, view)
		if !view.asJSON {
			text = fmt.Sprintf("%s  every %s; growth is known after 2 minutes; Ctrl-C ends\n\n%s",
				time.Now().Format(time.TimeOnly), watchInterval, text)
		}

		return text, err
	})
}

// slabOwners makes a session and shows what it found, also where the person ends it early.
func (a *app) slabOwners(duration time.Duration, view slabView) error {
	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	defer stop()

	checks := a.checks()
	defer checks.Stop()

	report, err := checks.Session(ctx, duration)
	if err != nil {
		return err
	}

	report.Owners = report.Owners[:min(view.n, len(report.Owners))]

	if view.asJSON {
		return a.printJSON(report)
	}

	return a.print(a.heading(table.Owners(report)))
}
