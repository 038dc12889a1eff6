package server

import (
	"net"
	"slices"
	"sync"
	"sync/atomic"
)

// maxConns are more than the worker and some people need: so many may be root's, and so many of others.
const maxConns = 64

// conn is a connection of a user that may ask.
type conn struct {
	*net.UnixConn

	all  *conns
	root bool
	// heard tells that there has been a request, serving that one is being answered.
	heard, serving atomic.Bool
}

// conns are the open connections, root's and others'. Where another comes, the oldest of the same kind that is
// not being answered makes room. So whoever connects and says nothing, or says it slowly, keeps nobody out.
type conns struct {
	mu      sync.Mutex
	list    []*conn // the oldest first
	dropped uint64
}

// add is false where every connection is being answered, so that none can make room.
func (a *conns) add(c *conn) bool {
	a.mu.Lock()
	defer a.mu.Unlock()

	same := 0

	for _, other := range a.list {
		if other.root == c.root {
			same++
		}
	}

	if same >= maxConns {
		a.dropped++

		at := slices.IndexFunc(a.list, func(other *conn) bool { return other.root == c.root && !other.serving.Load() })
		if at < 0 {
			return false
		}

		// Its own Close finds nothing to do.
		_ = a.list[at].UnixConn.Close()
		a.list = slices.Delete(a.list, at, at+1)
	}

	a.list = append(a.list, c)

	return true
}

// Close ends the connection and makes room.
func (c *conn) Close() error {
	c.all.mu.Lock()
	c.all.list = slices.DeleteFunc(c.all.list, func(other *conn) bool { return other == c })
	c.all.mu.Unlock()

	return c.UnixConn.Close()
}

// anyNew tells whether there is a connection without a request yet.
func (a *conns) anyNew() bool {
	a.mu.Lock()
	defer a.mu.Unlock()

	return slices.ContainsFunc(a.list, func(c *conn) bool { return !c.heard.Load() })
}

func (a *conns) counts() (open int, dropped uint64) {
	a.mu.Lock()
	defer a.mu.Unlock()

	return len(a.list), a.dropped
}
