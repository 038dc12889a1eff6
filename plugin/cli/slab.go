package cli

import (
	"flag"
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

const (
	// The kernel walks its lists under a lock to write slabinfo, so a watcher does not ask more often.
	watchInterval = 2 * time.Second
	clearScreen   = "\x1b[H\x1b[2J"
)

// slabView is what the slab command shows.
type slabView struct {
	n      int
	order  slab.Sort
	asJSON bool
}

func (a *app) slab(flags *flag.FlagSet, args []string) error {
	view := slabView{}
	sort := flags.String("sort", "size", "size, growth or objects")
	watch := flags.Bool("watch", false, "show it anew every 2 s")

	flags.IntVar(&view.n, "n", 15, "how many caches, 1 to 1000")
	flags.BoolVar(&view.asJSON, "json", false, "print JSON")

	if err := parse(flags, args, 0); err != nil {
		return err
	}

	var err error
	if view.order, err = slab.ParseSort(*sort); err != nil {
		return fmt.Errorf("cannot run slab: %w; %w", err, errUsage)
	}

	options := config.Defaults()
	tracker := slab.NewTracker(options.ProcPath, options.SysPath, options.SlabHistory)

	if !*watch {
		return a.showSlab(tracker, view, "")
	}

	return a.watchSlab(tracker, view)
}

func (a *app) showSlab(tracker *slab.Tracker, view slabView, before string) error {
	report, err := tracker.Get(view.n, view.order)
	if err != nil {
		return err
	}

	if view.asJSON {
		return a.printJSON(report)
	}

	_, err = fmt.Fprint(a.out, before, a.heading(table.SlabTotals(report)), "\n", a.heading(table.SlabCaches(report)))

	return err
}

// watchSlab shows the caches until the person has seen enough.
func (a *app) watchSlab(tracker *slab.Tracker, view slabView) error {
	enough := make(chan os.Signal, 1)
	signal.Notify(enough, syscall.SIGINT, syscall.SIGTERM)

	defer signal.Stop(enough)

	ticker := time.NewTicker(watchInterval)
	defer ticker.Stop()

	for {
		if err := a.showSlab(tracker, view, a.watchHeader()); err != nil {
			return err
		}

		select {
		case <-enough:
			return nil
		case <-ticker.C:
		}
	}
}

func (a *app) watchHeader() string {
	header := fmt.Sprintf("%s  every %s; growth is known after 2 minutes; Ctrl-C ends\n\n",
		time.Now().Format(time.TimeOnly), watchInterval)
	if a.terminal {
		return clearScreen + header
	}

	return header
}
