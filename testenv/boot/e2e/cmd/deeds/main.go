// Command deeds tries what a program with bad intentions would do with the rights that it was given, and prints as JSON the error of each deed:
// the name of an errno, or nothing where the deed was done. No deed harms the machine: a right is used to no effect, or what was done is undone.
package main

import (
	"encoding/json"
	"errors"
	"fmt"
	"maps"
	"os"
	"runtime"
	"syscall"

	"golang.org/x/sys/unix"
)

func main() {
	// What a deed does to its thread, such as entering a namespace, must not reach the others.
	runtime.LockOSThread()
	results := map[string]string{}
	for name, do := range deeds() {
		done := make(chan error)
		go func() {
			// Never unlocked: the thread ends with its deed.
			runtime.LockOSThread()
			done <- do()
		}()
		results[name] = nameOf(<-done)
	}
	if err := json.NewEncoder(os.Stdout).Encode(results); err != nil {
		fmt.Fprintln(os.Stderr, "deeds:", err)
		os.Exit(1)
	}
}

func nameOf(err error) string {
	if err == nil {
		return ""
	}
	if number, ok := errors.AsType[syscall.Errno](err); ok {
		return unix.ErrnoName(number)
	}
	return err.Error()
}

func deeds() map[string]func() error {
	all := map[string]func() error{}
	for _, some := range []map[string]func() error{fileDeeds(), userDeeds(), processDeeds(), kernelDeeds(), networkDeeds()} {
		maps.Copy(all, some)
	}
	return all
}
