package server

import (
	"context"
	"time"

	"github.com/coreos/go-systemd/v22/daemon"
)

// Ready tells systemd that requests are answered (sd_notify(3)), and from then on, where the unit has a watchdog, that this process
// lives.
func Ready(ctx context.Context, status string) error {
	if _, err := daemon.SdNotify(false, daemon.SdNotifyReady+"\nSTATUS="+status); err != nil {
		return err
	}

	interval, err := daemon.SdWatchdogEnabled(false)
	if err != nil || interval == 0 {
		return err
	}

	go func() {
		ticker := time.NewTicker(interval / 2)
		defer ticker.Stop()

		for {
			select {
			case <-ctx.Done():
				return
			case <-ticker.C:
				_, _ = daemon.SdNotify(false, daemon.SdNotifyWatchdog)
			}
		}
	}()

	return nil
}

// Stopping tells systemd that this process ends by itself.
func Stopping() { _, _ = daemon.SdNotify(false, daemon.SdNotifyStopping) }
