package nginx

import (
	"os"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

// minOpenFiles is what a test may open where nothing is known of the service's limit: a virtual host has a log of its own.
const minOpenFiles = 65_536

func isRoot() bool { return os.Geteuid() == 0 }

// followed is the master whose options and surroundings a test has; nil where there is none to follow.
func followed(i *instance.Instance) *instance.Master {
	if i.Master != nil && i.Master.Trusted() {
		return i.Master
	}

	return nil
}

// treeOf is where the files of an instance are, which for a service that does not run are the host's. Only root can look elsewhere.
func (m *Monitor) treeOf(i *instance.Instance) tree.Tree {
	switch master := followed(i); {
	case master == nil:
		return m.host
	case isRoot():
		return master.Tree
	default:
		return tree.Tree{}
	}
}

// networkOf is a process in the network namespace of an instance, 0 for our own.
func (m *Monitor) networkOf(i *instance.Instance) int {
	switch {
	case i.Master == nil:
		return m.host.PID
	case i.Master.NetNS.Differs:
		return i.Master.PID
	default:
		return 0
	}
}

// directivesOf are those of the command line of an instance, without which it would be another test.
func (m *Monitor) directivesOf(i *instance.Instance) string {
	if followed(i) == nil {
		return ""
	}

	return i.Arguments.Directives
}

// command is how nginx is run. The test is blind where it lacks a right of the nginx to read.
func (m *Monitor) command(i *instance.Instance) (c sandbox.Command, blind bool) {
	arguments := instance.Arguments{Directives: m.directivesOf(i)}
	if i.Arguments.Config != "" {
		arguments.Config = i.Config
	}

	if i.Arguments.Prefix != "" {
		arguments.Prefix = i.Prefix
	}

	whole, readsAll := sandbox.Rights()
	// A service that does not run is started by root.
	c = sandbox.Command{
		Binary: i.Binary, Args: arguments.List(), Timeout: m.options.Timeout, NoFile: minOpenFiles, AsRoot: !isRoot() || !whole, Namespaces: m.host.PID,
	}

	if master := followed(i); master != nil {
		c.NoFile = max(c.NoFile, master.OpenFiles)
		c.AsRoot = c.AsRoot && master.UID == 0
		c.Namespaces = 0

		// An ordinary user can go nowhere else, and has rights of his own.
		if isRoot() && (master.Tree != tree.Tree{} || master.NetNS.Differs || !whole) {
			c.Namespaces, c.StartTicks = master.PID, master.StartTicks
		}
	}

	return c, c.AsRoot && (!isRoot() || !readsAll)
}
