package main

import (
	"context"
	"fmt"
	"io"
	"net"
	"net/http"
	"net/url"
	"runtime"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/testenv/badsite"
	"zabbix-agent2-plugin-hosting/testenv/pageserver"
)

const (
	rounds = 21
	// batch is long enough for several garbage collections.
	batch = 400

	requestLimit = 10 * time.Second
)

// measureProbes compares the CPU time of a probe with that of other ways to request a page once, each on a connection of its
// own. All run turn by turn, so that noise of the machine meets all alike, and the server's part is another process's.
func (f *figures) measureProbes(blackbox string) error {
	server, err := pageserver.Start(badsite.OK())
	if err != nil {
		return err
	}
	defer server.Stop()

	page := server.URLs[0]

	prober, err := probe(page)
	if err != nil {
		return err
	}

	alone, err := startRival(blackbox, "prober", page)
	if err != nil {
		return err
	}
	defer alone.stop()

	handler, err := startRival(blackbox, "handler", page)
	if err != nil {
		return err
	}
	defer handler.stop()

	times, err := takeTurns(timed(bare(page)), timed(prober), timed(socket(page)), alone.run, handler.run)
	if err != nil {
		return err
	}

	floor := median(times[0])
	f.note("CPU of a bare net/http request, p50 of batches", floor*1e3, "ms")
	f.add("CPU of a site probe, times the bare request", median(times[1])/floor, 1.4, "x")
	f.note("the same for a raw socket", median(times[2])/floor, "x")
	f.note("the same for blackbox_exporter's prober alone", median(times[3])/floor, "x")
	f.note("the same for blackbox_exporter's /probe handler", median(times[4])/floor, "x")

	return nil
}

// takeTurns returns the CPU seconds per request of each round, by contender.
func takeTurns(contenders ...func() (float64, error)) ([][]float64, error) {
	times := make([][]float64, len(contenders))

	for range rounds {
		for i, run := range contenders {
			took, err := run()
			if err != nil {
				return nil, err
			}

			times[i] = append(times[i], took)
		}
	}

	return times, nil
}

// timed makes a batch of one request. The garbage of the last batch is not this one's.
func timed(once func() error) func() (float64, error) {
	return func() (float64, error) {
		runtime.GC()

		start, err := cpuTime()
		if err != nil {
			return 0, err
		}

		for range batch {
			if err := once(); err != nil {
				return 0, err
			}
		}

		end, err := cpuTime()

		return (end - start).Seconds() / batch, err
	}
}

func cpuTime() (time.Duration, error) {
	var usage unix.Rusage
	if err := unix.Getrusage(unix.RUSAGE_SELF, &usage); err != nil {
		return 0, fmt.Errorf("cannot read the CPU time: %w", err)
	}

	return time.Duration(usage.Utime.Nano() + usage.Stime.Nano()), nil
}

func bare(page string) func() error {
	client := &http.Client{Transport: &http.Transport{DisableKeepAlives: true}, Timeout: requestLimit}

	return func() error {
		response, err := client.Get(page)
		if err != nil {
			return err
		}
		defer response.Body.Close()

		_, err = io.Copy(io.Discard, response.Body)

		return err
	}
}

func probe(page string) (func() error, error) {
	target, err := site.NewTarget(page)
	if err != nil {
		return nil, err
	}

	prober := site.NewProber(target)

	return func() error {
		if r := prober.Probe(context.Background()); r.Reason != site.ReasonOK {
			return fmt.Errorf("cannot probe the page: %s; look at the server", r.Sentence)
		}

		return nil
	}, nil
}

func socket(page string) func() error {
	address := page
	if parsed, err := url.Parse(page); err == nil {
		address = parsed.Host
	}

	return func() error {
		conn, err := net.DialTimeout("tcp", address, requestLimit)
		if err != nil {
			return err
		}
		defer conn.Close()

		if _, err := io.WriteString(conn, "GET / HTTP/1.1\r\nHost: "+address+"\r\nConnection: close\r\n\r\n"); err != nil {
			return err
		}

		_, err = io.Copy(io.Discard, conn)

		return err
	}
}
