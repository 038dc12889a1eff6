// Package freeport finds ports of 127.0.0.1 for programs that must be told one before they start.
package freeport

import (
	"fmt"
	"math/rand/v2"
	"net"
)

const (
	tries = 100
	// Zabbix's programs take 1024 to 32767; above that the kernel takes ports for clients.
	lowest  = 10100
	highest = 32767
)

// Pick returns a free port, by chance, so that programs started at the same time rarely meet.
func Pick() (int, error) {
	var lastErr error
	for range tries {
		port := lowest + rand.IntN(highest-lowest+1)
		listener, err := net.ListenTCP("tcp4", &net.TCPAddr{IP: net.IPv4(127, 0, 0, 1), Port: port})
		if err == nil {
			return port, listener.Close()
		}
		lastErr = err
	}
	return 0, fmt.Errorf("cannot find a free port: %w; bring up the loopback interface", lastErr)
}
