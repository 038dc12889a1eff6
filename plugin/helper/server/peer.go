package server

import (
	"context"
	"errors"
	"fmt"
	"net"
	"net/http"
	"sync"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/plugin/helper"
)

const (
	// complaintEvery bounds what refused users make the journal hold.
	complaintEvery = time.Minute
	// maxTold are the peers that are told at a time why they are turned away, and tellLimit is how long that takes; others are cut off.
	maxTold   = 16
	tellLimit = 100 * time.Millisecond
)

// peerListener hands out the connections of users that may ask, no more than conns allows.
type peerListener struct {
	*net.UnixListener // set when it is served

	options Options
	conns   conns
	telling chan struct{}

	mu           sync.Mutex
	refused      uint64
	complainedAt time.Time
}

func newPeerListener(o Options) *peerListener {
	return &peerListener{options: o, telling: make(chan struct{}, maxTold)}
}

// Accept waits for a connection of somebody who may ask.
func (l *peerListener) Accept() (net.Conn, error) {
	for {
		accepted, err := l.AcceptUnix()
		if err != nil {
			return nil, err
		}

		peer, err := peerOf(accepted)
		if err != nil || peer == nil || !l.options.Allowed(peer.Uid) {
			l.refuse(accepted, peer)

			continue
		}

		c := &conn{UnixConn: accepted, all: &l.conns, root: peer.Uid == 0}
		if l.conns.add(c) {
			return c, nil
		}

		l.turnAway(accepted, &failure{helper.CodeBusy, fmt.Sprintf("%d connections are being answered already; ask again", maxConns)})
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
func (l *peerListener) refuse(c *net.UnixConn, peer *unix.Ucred) {
	who := "a peer whose user is not known"
	if peer != nil {
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

// turnAway tells the peer why, while others are accepted.
func (l *peerListener) turnAway(c *net.UnixConn, f *failure) {
	select {
	case l.telling <- struct{}{}:
	default:
		_ = c.Close()

		return
	}

	go func() {
		defer func() {
			_ = c.Close()
			<-l.telling
		}()

		_ = c.SetDeadline(time.Now().Add(tellLimit))
		// What it says is not looked at, but many clients hear nothing before they have said it.
		_, _ = c.Read(make([]byte, maxHeader))

		body := f.answer().body
		_, _ = fmt.Fprintf(c, "HTTP/1.1 %d %s\r\n%s: %s\r\nContent-Type: %s\r\nContent-Length: %d\r\nConnection: close\r\n\r\n%s",
			f.status(), http.StatusText(f.status()), helper.VersionHeader, l.options.Version, jsonType, len(body), body)
	}()
}

func (l *peerListener) counts() (open int, refused, dropped uint64) {
	open, dropped = l.conns.counts()

	l.mu.Lock()
	defer l.mu.Unlock()

	return open, l.refused, dropped
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
