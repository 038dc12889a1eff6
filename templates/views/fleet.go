package views

import (
	"fmt"

	"zabbix-agent2-plugin-hosting/templates/api"
)

const (
	fleetTemplate = "Hosting fleet"
	// fleetDashboard is the dashboard's name, and fleetHostGroup where the virtual host is.
	fleetDashboard = "Hosting fleet"
	fleetHostGroup = "Hosting fleet"
	groupMacro     = "{$FLEET.GROUP}"
)

// fleetValues are the items at the top of the dashboard, in two rows.
var fleetValues = [][]struct {
	name, key string
	decimals  int
}{
	{
		{availability5m, "fleet.availability.5m", 2}, {availability1h, "fleet.availability.1h", 2}, {availability1d, "fleet.availability.1d", 2},
		{"Lowest of a host over 1h", "fleet.host.availability.1h", 2}, {"Slowest site, p90", "fleet.p90.5m", 2}, {"Resets before the response", "fleet.resets.5m", 0},
	},
	{
		{"Hosts", "fleet.hosts", 0}, {"Hosts without data", "fleet.hosts.silent", 0}, {"Sites that are down", "fleet.sites.down", 0},
		{"Nginx that would not load", "fleet.nginx.rejected", 0}, {"Helpers that cannot be used", "fleet.helpers.unusable", 0}, {"Highest SUnreclaim", "fleet.sunreclaim.pct", 2},
	},
}

// Fleet is what a view of the whole hosting consists of.
type Fleet struct {
	HostID      string `json:"hostid"`
	GroupID     string `json:"groupid"`
	DashboardID string `json:"dashboardid"`
}

// EnsureFleet makes the virtual host of the hosting, whose hosts are in a host group, and its dashboard, which every user may read.
func EnsureFleet(c *api.Client, host, group string) (Fleet, error) {
	var f Fleet
	var err error
	if f.GroupID, err = c.Find("hostgroup.get", "groupid", "the host group "+group, api.Object{"filter": api.Object{"name": group}}); err != nil {
		return Fleet{}, err
	}
	if f.HostID, err = ensureFleetHost(c, host, group); err != nil {
		return Fleet{}, err
	}
	var keys []string
	for _, row := range fleetValues {
		for _, shown := range row {
			keys = append(keys, shown.key)
		}
	}
	ids, err := itemIDs(c, f.HostID, host, fleetTemplate, keys)
	if err != nil {
		return Fleet{}, err
	}
	f.DashboardID, err = ensureDashboard(c, fleetDashboard, fleetWidgets(host, f.GroupID, ids, c.Is60()), forAll)
	return f, err
}

// ensureFleetHost makes the virtual host, or gives it the macro. Its templates, groups and other macros stay as they are where it is there.
func ensureFleetHost(c *api.Client, host, group string) (string, error) {
	id, err := find(c, hosts, api.Object{"host": host})
	if err != nil {
		return "", err
	}
	if id != "" {
		return id, ensureMacro(c, id, group)
	}
	template, err := c.Find("template.get", "templateid", "the template "+fleetTemplate, api.Object{"filter": api.Object{"host": fleetTemplate}})
	if err != nil {
		return "", fmt.Errorf("%w; import hosting_fleet.yaml", err)
	}
	groupID, err := ensure(c, hostGroups, api.Object{"name": fleetHostGroup}, nil)
	if err != nil {
		return "", err
	}
	return c.Created("host.create", hosts.ids, api.Object{
		"host": host, "groups": []api.Object{{"groupid": groupID}}, "templates": []api.Object{{"templateid": template}},
		"macros": []api.Object{{"macro": groupMacro, "value": group}},
	})
}

func ensureMacro(c *api.Client, hostID, group string) error {
	var found []struct {
		ID string `json:"hostmacroid"`
	}
	if err := c.Call("usermacro.get", api.Object{"hostids": hostID, "filter": api.Object{"macro": groupMacro}}, &found); err != nil {
		return err
	}
	if len(found) == 0 {
		return c.Call("usermacro.create", api.Object{"hostid": hostID, "macro": groupMacro, "value": group}, nil)
	}
	return c.Call("usermacro.update", api.Object{"hostmacroid": found[0].ID, "value": group}, nil)
}

// fleetWidgets is the dashboard of the whole hosting.
func fleetWidgets(host, groupID string, ids map[string]string, is60 bool) []widget {
	var all []widget
	for y, row := range fleetValues {
		for x, shown := range row {
			all = append(all, value(shown.name, ids[shown.key], shown.decimals).at(12*x, 3*y, 12, 3))
		}
	}
	bar := func(name, item string) column { return column{name, item, asBar, "0", "100", availabilityColors} }
	return append(all,
		topHosts(is60, "Hosts by availability, lowest first", groupID, lowest, 2,
			bar("5 minutes", availability5m), bar("1 hour", availability1h), bar("1 day", availability1d)).at(0, 6, 36, 6),
		topHosts(is60, "Hosts by SUnreclaim, highest first", groupID, highest, 1,
			column{"Of RAM", sunreclaimPct, asBar, "0", "100", nil}, column{"SUnreclaim", sunreclaim, asIs, "", "", nil},
			column{"Available memory", availableMemory, asIs, "", "", nil}).at(36, 6, 36, 6),
		allSites(groupID, is60).at(0, 12, 36, 8),
		problems(groupID, withData).at(36, 12, 36, 8),
		graph("Availability of the whole hosting", line{host, availability5m, "1A7C11"}, line{host, availability1h, "2774A4"},
			line{host, "Lowest availability of a host over 1h", "F63100"}).at(0, 20, 72, 6),
	)
}
