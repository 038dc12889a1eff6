// Command zabbix-hosting-helper is the part of zabbix-agent2-plugin-hosting that is root. systemd starts it at the first request on its
// socket, and it ends when it is idle.
package main

import (
	"context"
	"errors"
	"flag"
	"fmt"
	"io"
	"log"
	"os"
	"os/signal"
	"runtime"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/plugin/helper/server"
	"zabbix-agent2-plugin-hosting/plugin/helper/settings"
)

const programName = "zabbix-hosting-helper"

// version is set by the linker.
var version = "0.1.0-dev"

// Exit statuses.
const (
	exitOK     = 0
	exitFailed = 1
	exitUsage  = 2
)

// brokenTime is how long a helper answers that cannot use its configuration, though it is asked all the time: the next one finds it mended.
const brokenTime = 5 * time.Second

// processors is how many the checks take, of a large host no more than of a small one.
const processors = 1

func main() { os.Exit(run(os.Args[1:], os.Stdout, os.Stderr)) }

func run(args []string, out, errOut io.Writer) int {
	flags := flag.NewFlagSet(programName, flag.ContinueOnError)
	flags.SetOutput(errOut)
	flags.Usage = func() {
		fmt.Fprintf(errOut, "usage: %s [--config FILE] [--check|--print-config|--version]\nWithout an option it serves on the socket that systemd passes: see %s.socket.\n",
			programName, programName)
		flags.PrintDefaults()
	}

	path := flags.String("config", settings.Path, "the configuration `FILE`")
	check := flags.Bool("check", false, "tell whether the configuration can be used")
	printConfig := flags.Bool("print-config", false, "print the documented default of that file")
	printVersion := flags.Bool("version", false, "print the version")

	err := flags.Parse(args)

	switch {
	case errors.Is(err, flag.ErrHelp):
		return exitOK
	case err != nil || flags.NArg() > 0:
		flags.Usage()

		return exitUsage
	case *printVersion:
		fmt.Fprintln(out, programName, version)
	case *printConfig:
		fmt.Fprint(out, settings.File())
	case *check:
		if _, err = settings.Load(*path); err == nil {
			fmt.Fprintln(out, *path, "can be used")
		}
	default:
		err = serve(*path, log.New(errOut, "", 0))
	}

	if err != nil {
		fmt.Fprintln(errOut, err)

		return exitFailed
	}

	return exitOK
}

// serve answers until it is idle or told to stop.
func serve(config string, journal *log.Logger) error {
	runtime.GOMAXPROCS(processors)

	listener, err := server.Listener()
	if err != nil {
		return err
	}

	set, broken := settings.Load(config)
	if broken != nil {
		journal.Printf("<3>%s; until then every request is answered with this", broken)

		set = settings.Fallback()
	}

	host := server.NewHost(set)
	defer host.Stop()

	ctx, stop := signal.NotifyContext(context.Background(), syscall.SIGTERM, syscall.SIGINT)
	defer stop()

	if broken != nil {
		var cancel context.CancelFunc

		ctx, cancel = context.WithTimeout(ctx, brokenTime)
		defer cancel()
	}

	s := server.New(server.Options{
		Version: version, Handlers: host.Handlers(), IdleExit: set.IdleExit, Busy: host.Busy, Configuration: broken, Log: journal,
		Allowed: func(uid uint32) bool { return uid == 0 || uid == set.UID },
	})

	if err := server.Ready(ctx, "serving user "+set.User); err != nil {
		return fmt.Errorf("cannot tell systemd that the helper is ready: %w", err)
	}

	defer server.Stopping()

	return s.Serve(ctx, listener)
}
