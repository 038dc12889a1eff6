package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"slices"
	"sync"
	"sync/atomic"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

const (
	// maxConns are more than the worker and some people need.
	maxConns = 64
	// complaintEvery bounds what refused users make the journal hold.
	complaintEvery = time.Minute
	refusalLimit   = 100 * time.Millisecond
)

// peerListener hands out the connections of users that may ask, and no more than maxConns at a time: where another comes, the oldest that
// is not being answered makes room. So whoever connects and says nothing, or says it slowly, keeps nobody out.
type peerListener struct {
	*net.UnixListener

	options Options

	mu               sync.Mutex
	conns            []*conn // the oldest first
	refused, dropped uint64
	complainedAt     time.Time
}

// conn is a connection of a user that may ask.
type conn struct {
	*net.UnixConn

	listener *peerListener
	serving  atomic.Bool
}

func newPeerListener(l *net.UnixListener, o Options) *peerListener {
	return &peerListener{UnixListener: l, options: o}
}

// Accept waits for a connection of somebody who may ask.
func (l *peerListener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}

		peer, err := peerOf(accepted)
		if err == nil && l.options.Allowed(peer.Uid) {
			c := &conn{UnixConn: accepted, listener: l}
			if l.add(c) {
				return c, nil
			}

			l.turnAway(accepted, &failure{helper.CodeBusy, fmt.Sprintf("%d connections are being answered already; ask again", maxConns)})

			continue
		}

		l.refuse(accepted, peer, err)
	}
}

// peerOf returns the process that connected, as the kernel noted it then (SO_PEERCRED, unix(7)).
func peerOf(c *net.UnixConn) (*unix.Ucred, error) {
	raw, err := c.SyscallConn()
	if err != nil {
		return nil, err
	}

	var (
		peer    *unix.Ucred
		peerErr error
	)

	err = raw.Control(func(fd uintptr) { peer, peerErr = unix.GetsockoptUcred(int(fd), unix.SOL_SOCKET, unix.SO_PEERCRED) })

	return peer, errors.Join(err, peerErr)
}

// refuse turns away a user who may not ask.
func (l *peerListener) refuse(c *net.UnixConn, peer *unix.Ucred, err error) {
	who := "a peer whose user is not known"
	if err == nil && peer != nil {
		who = fmt.Sprintf("user %d (process %d)", peer.Uid, peer.Pid)
	}

	l.mu.Lock()
	l.refused++
	complain := time.Since(l.complainedAt) >= complaintEvery

	if complain {
		l.complainedAt = time.Now()
	}
	l.mu.Unlock()

	if complain {
		l.options.Log.Printf("<4>refused %s: only root and the configured user may ask", who)
	}

	l.turnAway(c, &failure{helper.CodeRefused, who + " may not ask; run as root or as the agent's user"})
}

// turnAway tells the peer why, without waiting for it.
func (l *peerListener) turnAway(c *net.UnixConn, f *failure) {
	body := f.answer().body
	_ = c.SetDeadline(time.Now().Add(refusalLimit))
	_, _ = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n%s: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
		f.status(), http.StatusText(f.status()), helper.VersionHeader, l.options.Version, jsonType, len(body), body)
	_ = c.Close()
}

// add is false where every connection is being answered, so that none can make room.
func (l *peerListener) add(c *conn) bool {
	l.mu.Lock()
	defer l.mu.Unlock()

	if len(l.conns) >= maxConns {
		l.dropped++

		at := slices.IndexFunc(l.conns, func(other *conn) bool { return !other.serving.Load() })
		if at < 0 {
			return false
		}

		// Its own Close finds nothing to do.
		_ = l.conns[at].UnixConn.Close()
		l.conns = slices.Delete(l.conns, at, at+1)
	}

	l.conns = append(l.conns, c)

	return true
}

// Close ends the connection and makes room.
func (c *conn) Close() error {
	l := c.listener
	l.mu.Lock()
	l.conns = slices.DeleteFunc(l.conns, func(other *conn) bool { return other == c })
	l.mu.Unlock()

	return c.UnixConn.Close()
}

func (l *peerListener) counts() (open int, refused, dropped uint64) {
	l.mu.Lock()
	defer l.mu.Unlock()

	return len(l.conns), l.refused, l.dropped
}

type connKey struct{}

// withConn lets a request know its connection.
func withConn(ctx context.Context, c net.Conn) context.Context {
	return context.WithValue(ctx, connKey{}, c)
}

func connOf(ctx context.Context) *conn {
	c, _ := ctx.Value(connKey{}).(*conn)

	return c
}
