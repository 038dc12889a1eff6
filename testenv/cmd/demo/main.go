// Command demo shows the plugin at work: it starts real agents with it, asks each of its keys over the passive port, and prints the values.
package main

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"io"
	"os"
	"os/exec"
	"os/signal"
	"path/filepath"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
)

// itemTimeoutS is what a server allows an item that takes its time.
const itemTimeoutS = 10

// examples are the site and the nginx that the keys' examples ask for: whatever this host has of them, or that it has none.
var examples = []string{"Plugins.Hosting.Sites.shop.URL=http://127.0.0.1/", "Plugins.Hosting.Nginx.edge.Binary=/usr/sbin/nginx"}

func main() {
	ctx, cancel := signal.NotifyContext(context.Background(), os.Interrupt, syscall.SIGTERM)
	err := run(ctx, os.Args[1:], os.Stdout)
	cancel()
	if err != nil {
		fmt.Fprintln(os.Stderr, "demo:", err)
		os.Exit(1)
	}
}

func run(ctx context.Context, arguments []string, out io.Writer) error {
	if len(arguments) != 1 {
		return errors.New("cannot tell which plugin to show; usage: demo PLUGIN-BINARY")
	}
	binary, err := filepath.Abs(arguments[0])
	if err != nil {
		return fmt.Errorf("cannot find the plugin: %w; give its absolute path", err)
	}
	keys, err := listKeys(binary)
	if err != nil {
		return err
	}
	failed := 0
	for _, version := range zabbixagent.Versions() {
		all, err := show(ctx, zabbixagent.Options{Version: version, Plugin: binary, Lines: examples}, keys)
		if err != nil {
			return err
		}
		if err := all.print(out); err != nil {
			return fmt.Errorf("cannot print the values: %w; free the output", err)
		}
		failed += all.count(failure)
	}
	if failed > 0 {
		return fmt.Errorf("cannot get %d values; the lines marked with ! say why and what mends it", failed)
	}
	return nil
}

// key is what is needed here of the plugin's list-keys --json.
type key struct {
	Key string `json:"key"`
	// Example is the key with parameters, as it may be asked on any host.
	Example string `json:"example"`
}

func listKeys(binary string) ([]key, error) {
	output, err := exec.Command(binary, "list-keys", "--json").Output()
	if err != nil {
		return nil, fmt.Errorf("cannot learn the keys of %s: %w; build the plugin, or run its list-keys by hand", binary, err)
	}
	var keys []key
	if err := json.Unmarshal(output, &keys); err != nil {
		return nil, fmt.Errorf("cannot understand the list-keys of %s: %w; give the path of the plugin", binary, err)
	}
	if len(keys) == 0 {
		return nil, fmt.Errorf("cannot show any key: the list-keys of %s is empty; give the path of the plugin", binary)
	}
	return keys, nil
}

// show asks an agent for all keys, one after the other.
func show(ctx context.Context, o zabbixagent.Options, keys []key) (all answers, err error) {
	a, err := zabbixagent.Start(o)
	if err != nil {
		return all, err
	}
	defer func() { err = errors.Join(err, a.Stop()) }()
	version, err := a.Get("agent.version")
	if err != nil {
		return all, err
	}
	all.title = fmt.Sprintf("Zabbix agent %s on %s", version, a.Address())
	for _, k := range keys {
		if ctx.Err() != nil {
			return all, errors.New("cannot show all keys: interrupted; run it again")
		}
		started := time.Now()
		value, err := a.GetTimeout(k.Example, itemTimeoutS)
		all.add(k.Example, value, err, time.Since(started))
	}
	return all, nil
}
