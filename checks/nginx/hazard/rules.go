package hazard

import (
	"fmt"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
)

// maxShown is how many addresses, directories and files a sentence names.
const maxShown = 3

// The versions of nginx that are affected: the first and the last of each line.
var (
	reusePortAffected = [][2]instance.Version{{{1, 9, 1}, {1, 12, 1}}, {{1, 13, 0}, {1, 13, 3}}}
	udpMended         = instance.Version{1, 21, 1}
)

// reusePort is false for a version that is not affected; where the version is unknown it is not certain.
func (f Facts) reusePort() []Hazard {
	certain := false
	for _, span := range reusePortAffected {
		certain = certain || f.Base.Between(span[0], span[1])
	}

	found := f.binds(func(b Bind) bool { return b.Network == "tcp" && b.ReusePort })
	if len(found) == 0 || !certain && len(f.Base) > 0 {
		return nil
	}

	if !certain {
		return []Hazard{newHazard(ReusePortTestStealsConnections, SeverityGeneral, found[0].Where,
			"%s listens with reuseport on %s: if it is nginx before 1.13.4 or 1.12.2, an ordinary test takes connections of "+
				"clients and resets them; find out its version", f.name(), shownBinds(found))}
	}

	all := []Hazard{newHazard(ReusePortTestStealsConnections, f.severity(found), found[0].Where,
		"%s listens with reuseport on %s: an ordinary test takes connections of clients and resets them%s; "+
			"upgrade to nginx 1.13.4 or 1.12.2 at least, or take reuseport out", f.name(), shownBinds(found), f.vendor())}

	if f.MigrateReq != nil && !*f.MigrateReq {
		all = append(all, newHazard(TCPMigrateReqOff, SeverityInfo, "",
			"net.ipv4.tcp_migrate_req is 0: connections that wait at a listener are reset when it closes; "+
				"set it to 1, which loses almost none, until nginx is upgraded"))
	}

	return all
}

func (f Facts) udp() []Hazard {
	found := f.binds(func(b Bind) bool { return b.Network == "udp" })

	switch {
	case len(found) == 0 || len(f.Base) > 0 && f.Base.Compare(udpMended) >= 0:
		return nil
	case len(f.Base) == 0:
		return []Hazard{newHazard(UDPTestStealsDatagrams, SeverityGeneral, found[0].Where,
			"%s listens for UDP on %s: if it is nginx before 1.21.1, an ordinary test takes datagrams of clients; "+
				"find out its version", f.name(), shownBinds(found))}
	}

	return []Hazard{newHazard(UDPTestStealsDatagrams, f.severity(found), found[0].Where,
		"%s listens for UDP on %s: an ordinary test takes datagrams of clients%s; upgrade to nginx 1.21.1 at least",
		f.name(), shownBinds(found), f.vendor())}
}

func (f Facts) chown() []Hazard {
	var (
		paths []string
		uid   uint32
	)

	for _, w := range f.Writes {
		if w.changesOwner() {
			paths = append(paths, w.Path)
			uid = w.newOwner()
		}
	}

	if len(paths) == 0 {
		return nil
	}

	severity, whose := SeverityGeneral, "of nginx"
	if f.Running {
		severity, whose = SeverityNow, "of the running nginx"
	}

	return []Hazard{newHazard(TestWouldChownLiveDirectories, severity, "",
		"an ordinary test would give %s %s to user %d, and whom they belong to now fails to write there; "+
			"let the user directive be the running one's, or stop nginx first", shownList(paths), whose, uid)}
}

func (w Write) newOwner() uint32 {
	if w.UID != nil {
		return *w.UID
	}

	return w.OwnerUID
}

func (f Facts) ports() []Hazard {
	if !f.ListeningKnown {
		return nil
	}

	found := f.binds(func(b Bind) bool {
		if b.Network == "unix" {
			return !b.Exists
		}

		return !f.held(b)
	})
	if len(found) == 0 {
		return nil
	}

	return []Hazard{newHazard(TestWouldOpenPorts, SeverityNow, found[0].Where,
		"nobody listens on %s: an ordinary test would for a moment, and drop the clients that come then; "+
			"test without harm, or start nginx first", shownBinds(found))}
}

func (f Facts) staleSockets() []Hazard {
	if !f.ListeningKnown {
		return nil
	}

	found := f.binds(func(b Bind) bool { return b.Network == "unix" && b.Exists && !f.held(b) })
	if len(found) == 0 {
		return nil
	}

	paths := make([]string, len(found))
	for i, b := range found {
		paths[i] = b.Path
	}

	return []Hazard{newHazard(StaleUnixSocket, SeverityNow, found[0].Where,
		"nobody listens on the socket %s, which is there all the same: every test passes, but nginx cannot start; "+
			"remove it while nginx does not run", shownList(paths))}
}

func (f Facts) binds(wanted func(Bind) bool) []Bind {
	var found []Bind

	for _, b := range f.Binds {
		if wanted(b) {
			found = append(found, b)
		}
	}

	return found
}

// severity is that of a test that takes something from those who listen now.
func (f Facts) severity(found []Bind) Severity {
	for _, b := range found {
		if f.Running && !f.ListeningKnown || f.held(b) {
			return SeverityNow
		}
	}

	return SeverityGeneral
}

func shownBinds(all []Bind) string {
	texts := make([]string, len(all))
	for i, b := range all {
		texts[i] = b.shown()
	}

	return shownList(texts)
}

func shownList(all []string) string {
	if len(all) <= maxShown {
		return strings.Join(all, ", ")
	}

	return fmt.Sprintf("%s and %d more", strings.Join(all[:maxShown], ", "), len(all)-maxShown)
}
