// Command ask asks the agent of this machine for the values of keys in passive checks, as a server does, and prints them.
package main

import (
	"flag"
	"fmt"
	"os"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/passive"
)

// timeout is what an agent 6.0 with its default configuration takes at most, and what brings the answer.
const timeout = 4 * time.Second

func main() {
	flag.Usage = func() { fmt.Fprintln(os.Stderr, "usage: ask KEY...") }
	flag.Parse()
	client := passive.Client{Address: "127.0.0.1:10050", Timeout: timeout}
	status := 0
	for _, key := range flag.Args() {
		value, err := client.Get(key)
		if err != nil {
			fmt.Fprintln(os.Stderr, err)
			status = 1
			continue
		}
		fmt.Println(value)
	}
	os.Exit(status)
}
