package cli

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io/fs"
	"os"
	"os/signal"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

// watchInterval is not shorter, as the kernel walks its lists under a lock to write slabinfo.
const watchInterval = 2 * time.Second

// ownersTime is long enough for a leak that matters.
const ownersTime = 30 * time.Second

const slabDetails = `
slab owners follows allocations for a while, by the kernel's tracepoints, and names who holds what was not freed: cache, process and code path. It is for
root alone, also where the root helper runs, and slows a host that allocates all the time by some percent meanwhile. The other forms ask the helper
where this user is not root.
`

const ownersVerb = "owners"

// slabView is what the slab command shows.
type slabView struct {
	n      int
	order  slab.Sort
	asJSON bool
}

func (a *app) slab(flags *flag.FlagSet, args []string) error {
	view, duration := slabView{n: 15}, ownersTime
	sort := flags.String("sort", "size", "by `WHAT`: size, growth or objects (size)")
	watch := flags.Bool("watch", false, "show it anew every 2 s")

	timeFlag(flags, &duration, "for", slabowner.MinDuration, slabowner.MaxDuration, "with owners: `TIME` to follow allocations, 5s to 2m (30s)")
	numberFlag(flags, &view.n, "n", 1, slab.MaxTop, "how many caches, `N` from 1 to 1000; with owners how many of them, 1 to 100 (15)")
	flags.BoolVar(&view.asJSON, "json", false, "print JSON")

	if err := parseBetween(flags, args, 0, 1); err != nil {
		return err
	}

	if err := checkSlabCall(flags, view.n); err != nil {
		return err
	}

	if flags.Arg(0) == ownersVerb {
		return a.slabOwners(duration, view)
	}

	var err error
	if view.order, err = slab.ParseSort(*sort); err != nil {
		return wrongCall("cannot run slab: %w", err)
	}

	tracker := a.checks().Slab()

	if !*watch {
		return a.showSlab(tracker, view)
	}

	return a.watchSlab(tracker, view)
}

// checkSlabCall refuses flags that would do nothing.
func checkSlabCall(flags *flag.FlagSet, n int) error {
	verb := flags.Arg(0)
	owners := verb == ownersVerb

	switch {
	case verb != "" && !owners:
		return wrongCall("cannot run slab %s: there is only owners", verb)
	case !owners && isSet(flags, "for"):
		return wrongCall("cannot use --for without owners: only they are followed for a time")
	case owners && isSet(flags, "watch"):
		return wrongCall("cannot use --watch with owners: they are known at the end of a session only")
	case owners && isSet(flags, "sort"):
		return wrongCall("cannot use --sort with owners: who holds most always comes first")
	case owners && n > slabowner.MaxOwners:
		return wrongCall("cannot use -n %d with owners: allowed is a whole number from 1 to %d", n, slabowner.MaxOwners)
	}

	return nil
}

func (a *app) showSlab(tracker *slab.Tracker, view slabView) error {
	text, err := a.slabText(tracker, view)
	if err != nil {
		return err
	}

	if view.order == slab.SortGrowth && !view.asJSON {
		text += fmt.Sprintf("\nnote: growth takes 2 minutes to measure: use slab --watch --sort growth, or ask the agent for hosting.slab.get[%d,growth]\n", view.n)
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

	fmt.Fprintf(a.errOut, "following allocations for %s; Ctrl-C ends early\n", short(duration))

	report, err := checks.Session(ctx, duration)
	if err != nil {
		return ownersError(err)
	}

	report = report.First(view.n)

	if view.asJSON {
		return a.printJSON(report)
	}

	return a.print(a.heading(table.Owners(report)))
}

// ownersError tells who may not follow allocations what else there is to ask.
func ownersError(err error) error {
	if !errors.Is(err, fs.ErrPermission) {
		return err
	}

	why, _, _ := strings.Cut(err.Error(), "; ")

	return fmt.Errorf("%s; run as root, or ask for the helper's last session: %s get hosting.slab.owners", why, Program)
}
