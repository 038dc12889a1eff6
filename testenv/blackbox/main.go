// Command blackbox tells what a probe by blackbox_exporter costs. It is a module of its own, so that what that needs is not the plugin's.
//
// It writes a line with the CPU seconds per probe, the mean of COUNT probes, for each line that it reads.
package main

import (
	"bufio"
	"context"
	"errors"
	"fmt"
	"io"
	"log/slog"
	"net/http"
	"net/http/httptest"
	"net/url"
	"os"
	"runtime"
	"strconv"
	"strings"
	"syscall"
	"time"

	"github.com/prometheus/blackbox_exporter/config"
	"github.com/prometheus/blackbox_exporter/prober"
	"github.com/prometheus/client_golang/prometheus"
	"github.com/prometheus/common/promslog"
)

const (
	usage      = "usage: blackbox prober|handler URL COUNT"
	moduleName = "http_2xx"
	timeout    = 10 * time.Second
	// history and timeoutOffset are blackbox_exporter's defaults.
	history       = 100
	timeoutOffset = 0.5
)

func main() {
	if err := run(os.Args[1:]); err != nil {
		fmt.Fprintln(os.Stderr, err)
		os.Exit(1)
	}
}

func run(arguments []string) error {
	if len(arguments) != 3 {
		return errors.New(usage)
	}
	probes := map[string]func(string) error{"prober": probeAlone, "handler": throughHandler()}
	probe := probes[arguments[0]]
	count, err := strconv.Atoi(arguments[2])
	if probe == nil || err != nil || count <= 0 {
		return errors.New(usage)
	}
	for orders := bufio.NewScanner(os.Stdin); orders.Scan(); {
		took, err := measure(count, func() error { return probe(arguments[1]) })
		if err != nil {
			return err
		}
		fmt.Println(took.Seconds() / float64(count))
	}
	return nil
}

// measure returns the CPU time of the whole process for count probes, garbage collection included.
func measure(count int, probe func() error) (time.Duration, error) {
	runtime.GC()
	start, err := cpuTime()
	if err != nil {
		return 0, err
	}
	for range count {
		if err := probe(); err != nil {
			return 0, err
		}
	}
	end, err := cpuTime()
	return end - start, err
}

func cpuTime() (time.Duration, error) {
	var usage syscall.Rusage
	if err := syscall.Getrusage(syscall.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("cannot read the CPU time: %w", err)
	}
	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

// module is the one that blackbox_exporter's own blackbox.yml begins with.
func module() config.Module {
	m := config.DefaultModule
	m.Prober = "http"
	m.HTTP.IPProtocol = "ip4"
	return m
}

// probeAlone makes a probe that logs nothing and whose metrics nobody asks for: the least that one can cost.
func probeAlone(target string) error {
	ctx, cancel := context.WithTimeout(context.Background(), timeout)
	defer cancel()
	if !prober.ProbeHTTP(ctx, target, module(), prometheus.NewRegistry(), slog.New(slog.DiscardHandler)) {
		return fmt.Errorf("cannot probe %s with blackbox_exporter; look at the server", target)
	}
	return nil
}

// throughHandler has probes made as a request of Prometheus for /probe has them made, metrics and history included.
// Nothing is written to the log, which goes to the terminal by default.
func throughHandler() func(target string) error {
	conf := &config.Config{Modules: map[string]config.Module{moduleName: module()}}
	results := &prober.ResultHistory{MaxResults: history}
	logging := &promslog.Config{Writer: io.Discard}
	return func(target string) error {
		request := httptest.NewRequest(http.MethodGet, "/probe?module="+moduleName+"&target="+url.QueryEscape(target), nil)
		recorder := httptest.NewRecorder()
		prober.Handler(recorder, request, conf, slog.New(slog.DiscardHandler), results, timeoutOffset, nil, nil, logging)
		if !strings.Contains(recorder.Body.String(), "probe_success 1\n") {
			return fmt.Errorf("cannot probe %s with blackbox_exporter: %s; look at the server", target, recorder.Body)
		}
		return nil
	}
}
