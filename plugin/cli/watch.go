package cli

import (
	"fmt"
	"os"
	"os/signal"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/terminal"
)

// watch shows what frame returns, anew each time that so long has passed, until the person has seen enough. A live view has the
// terminal's screen for itself until then; elsewhere one text follows the other.
func (a *app) watch(every time.Duration, live bool, frame func() (string, error)) error {
	signals := make(chan os.Signal, 1)
	signal.Notify(signals, syscall.SIGINT, syscall.SIGTERM)

	defer signal.Stop(signals)

	show, suspend := a.print, func() error { return nil }

	if live {
		screen, err := terminal.OpenScreen(a.out)
		if err != nil {
			return fmt.Errorf("cannot use the terminal: %w", err)
		}
		defer screen.Close()

		// Only who has changed the terminal must mend it before it stops.
		signal.Notify(signals, syscall.SIGTSTP)

		show, suspend = screen.Draw, screen.Suspend
	}

	ticker := time.NewTicker(every)
	defer ticker.Stop()

	for {
		text, err := frame()
		if err != nil {
			return err
		}

		if err := show(text); err != nil {
			return err
		}

		select {
		case got := <-signals:
			if got != syscall.SIGTSTP {
				return nil
			}

			if err := suspend(); err != nil {
				return err
			}
		case <-ticker.C:
		}
	}
}

// watchTable shows a text until the person has seen enough, and leaves the last one behind; JSON is a line each time.
func (a *app) watchTable(asJSON bool, text func() (string, error)) error {
	live := a.terminal && !asJSON
	last := ""

	err := a.watch(watchInterval, live, func() (shown string, err error) {
		last, err = text()

		return last, err
	})
	if err != nil || !live {
		return err
	}

	return a.print(last)
}

func (a *app) print(text string) error {
	_, err := fmt.Fprint(a.out, text)

	return err
}
