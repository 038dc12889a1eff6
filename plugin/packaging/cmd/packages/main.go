// Command packages builds the deb and rpm packages into the directory that it is given.
package main

import (
	"context"
	"fmt"
	"os"
	"os/signal"

	"zabbix-agent2-plugin-hosting/plugin/packaging"
)

func main() {
	if len(os.Args) != 2 || os.Args[1] == "-h" || os.Args[1] == "--help" {
		fmt.Fprintln(os.Stderr, "usage: packages DIRECTORY")
		os.Exit(2)
	}

	ctx, stop := signal.NotifyContext(context.Background(), os.Interrupt)
	paths, err := packaging.Build(ctx, os.Args[1], packaging.Options{})

	stop()

	if err != nil {
		fmt.Fprintln(os.Stderr, "packages:", err)
		os.Exit(1)
	}

	for _, path := range paths {
		fmt.Println(path)
	}
}
