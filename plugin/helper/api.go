// Package helper is what crosses the boundary between the plugin, an ordinary user, and the helper, which is root: fixed verbs
// over HTTP on a unix socket. A request carries numbers, and the digest of a name that the helper told before: no path, no command, no
// pattern.
package helper

import (
	"slices"
	"time"
)

const (
	// SocketPath is where systemd listens for the helper.
	SocketPath = "/run/zabbix-hosting-helper.sock"
	// Unit is the helper's unit of systemd, with .socket or .service.
	Unit = "zabbix-hosting-helper"

	// VersionHeader is in every answer and holds the release of the helper.
	VersionHeader = "Zabbix-Hosting-Helper"

	// prefix is the version of the interface. A field that is added does not raise it.
	prefix = "/v1/"
)

// Verb is the name of one thing that the helper does.
type Verb string

// All that the helper does.
const (
	VerbStatus      Verb = "status"
	VerbSlabinfo    Verb = "slabinfo"
	VerbSlabKinds   Verb = "slab-kinds"
	VerbOOM         Verb = "oom"
	VerbNginx       Verb = "nginx"
	VerbNginxConfig Verb = "nginx-config"
	VerbListeners   Verb = "listeners"
	VerbEvents      Verb = "listener-events"
	VerbOwners      Verb = "slab-owners"
	VerbSession     Verb = "slab-session"
	VerbKmemleak    Verb = "kmemleak"
)

// parameter is the name of one part of a request.
type parameter string

const (
	paramPort     parameter = "port"     // a local port, 0 to 65535
	paramCount    parameter = "n"        // how many rows, 1 to 1000
	paramInstance parameter = "instance" // 16 hexadecimal digits, nginx.ID of an instance's name
	paramWait     parameter = "wait_ms"  // how long the caller waits
)

// VerbInfo describes a verb.
type VerbInfo struct {
	Verb        Verb
	Description string
	// Limit is the longest that an answer takes.
	Limit      time.Duration
	parameters []parameter
}

const (
	quick = 1500 * time.Millisecond
	slow  = 5 * time.Second
)

// Verbs returns all verbs.
func Verbs() []VerbInfo {
	return []VerbInfo{
		{Verb: VerbStatus, Limit: quick, Description: "version, uptime, memory and counters of the helper itself"},
		{Verb: VerbSlabinfo, Limit: quick, Description: "/proc/slabinfo, as the kernel wrote it"},
		{Verb: VerbSlabKinds, Limit: quick, Description: "which slab caches the kernel can reclaim"},
		{Verb: VerbOOM, Limit: slow, Description: "victims of the OOM killer, of which the kernel tells each since this was first asked"},
		{Verb: VerbNginx, Limit: slow, Description: "the nginx instances"},
		{
			Verb: VerbNginxConfig, Limit: slow, Description: "the state of one nginx configuration",
			parameters: []parameter{paramInstance, paramWait},
		},
		{
			Verb: VerbListeners, Limit: slow, Description: "who listens",
			parameters: []parameter{paramPort},
		},
		{Verb: VerbEvents, Limit: slow, Description: "who began and ceased to listen since this was first asked"},
		{
			Verb: VerbOwners, Limit: quick, Description: "who allocated slab memory in the last session",
			parameters: []parameter{paramCount},
		},
		{Verb: VerbSession, Limit: quick, Description: "start a session of slab owners, unless the last is too young"},
		{
			Verb: VerbKmemleak, Limit: slow, Description: "what the kernel's leak detector found",
			parameters: []parameter{paramCount},
		},
	}
}

// Info returns the description of a verb that is known.
func (v Verb) Info() (VerbInfo, bool) {
	all := Verbs()
	at := slices.IndexFunc(all, func(info VerbInfo) bool { return info.Verb == v })

	if at < 0 {
		return VerbInfo{}, false
	}

	return all[at], true
}
