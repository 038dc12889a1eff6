//go:build e2e

package e2e

import (
	"encoding/json"
	"fmt"
	"maps"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/api"
	"zabbix-agent2-plugin-hosting/templates/views"
	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

const (
	// pictured is the hosting's host that has all templates.
	pictured        = "web01"
	picturedMinutes = 60
	// intrusion is the minute in which a process opened nginx's port.
	intrusion = 32
	// shortage is the minute in which the OOM killer killed.
	shortage              = 38
	customerPassword      = "look-at-Web01"
	rowPixels, headPixels = 70, 70
	pictureWidth          = 1600
	siteDiscovery         = "hosting.site.discovery"
)

// TestEveryDashboardIsShown makes pictures, of a hosting in which something has gone wrong within the last hour, and looks into the pages
// for what must be there.
func TestEveryDashboardIsShown(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		begin := time.Now().Add(-picturedMinutes * time.Minute)
		hostID := pictureHost(t, s, begin)
		pictureFleet(t, s, begin)
		fleet, err := views.EnsureFleet(s.API().Client, "Fleet", fleetGroup)
		require.NoError(t, err)
		again, err := views.EnsureFleet(s.API().Client, "Fleet", fleetGroup)
		require.NoError(t, err)
		require.Equal(t, fleet, again)
		customer, err := views.EnsureCustomer(s.API().Client, views.Customer{Name: "anna", Server: pictured, Password: customerPassword})
		require.NoError(t, err)

		pages := dashboardPages(t, s, "hosting", fleet.DashboardID)
		for _, template := range []struct{ file, name string }{
			{siteFile, "test_site"}, {memoryFile, "kernel_memory"}, {nginxFile, "nginx_configuration"}, {"hosting_plugin_by_zabbix_agent2.yaml", "plugin"},
		} {
			f := read(t, filepath.Join("..", string(s.Version()), template.file))
			pages = append(pages, hostPages(t, s, template.name, hostID, f.templates[0])...)
		}
		pages = append(pages, hostPages(t, s, "fleet", fleet.HostID, "Hosting fleet")...)

		seen := browse(t, s, zabbixapi.Admin, zabbixapi.AdminPassword, pages...)
		requireHostsInOrder(t, seen[0])
		shown := fmt.Sprint(seen)
		for _, list := range []string{
			"process nginx (4711: nginx -t), started by sh (4710) by zabbix_agentd (600), listened on 0.0.0.0:443 for 0.5 ms beside nginx]", "php-fpm8.2 (4321), 521 MiB, in /system.slice/php8.2-fpm.service, limit cgroup, started by php-fpm8.2",
			"php8.2-fpm.service: 1",
		} {
			require.Contains(t, shown, list)
		}
		for _, one := range browse(t, s, "anna", customerPassword, dashboardPages(t, s, "customer", customer.DashboardID)...) {
			require.NotContains(t, fmt.Sprint(one.Tables), hostNamed(2))
		}
		// A browser that has seen enough does not wait for what a page asks for each minute.
		require.Empty(t, slices.DeleteFunc(s.FrontendErrors(), func(line string) bool { return strings.Contains(line, "PHP Request Shutdown: Failed to write session") }))
	})
}

// requireHostsInOrder holds the tables of the dashboard to the availability and the memory that the hosts were given.
func requireHostsInOrder(t *testing.T, seen seenPage) {
	t.Helper()
	// Tables of hosts by the heading of their second column, the first being "Host".
	tables := map[string][]string{}
	for _, table := range seen.Tables {
		if len(table) < 4 || len(table[0]) != 4 {
			continue
		}
		for _, row := range table[1:] {
			tables[table[0][1]] = append(tables[table[0][1]], row[0])
		}
	}
	require.Len(t, tables["5 minutes"], 10, "%v", seen.Tables)
	require.Len(t, tables["Of RAM"], 10)
	require.Equal(t, []string{"web49", "web48", "web47"}, tables["5 minutes"][:3], "hosts by availability")
	require.Equal(t, []string{"web33", "web34", "web35"}, tables["Of RAM"][:3], "hosts by SUnreclaim")
}

// hostPages are those of the dashboard that a host has from a template.
func hostPages(t *testing.T, s *zabbixserver.Server, name, hostID, template string) []page {
	t.Helper()
	templateID, err := s.API().TemplateID(template)
	require.NoError(t, err)
	params := api.Object{"templateids": templateID, "output": []string{"dashboardid"}, "selectPages": "extend"}
	return picturesOf(t, s, name, "templatedashboard.get", params, "zabbix.php?action=host.dashboard.view&hostid="+hostID+"&dashboardid=")
}

func dashboardPages(t *testing.T, s *zabbixserver.Server, name, dashboardID string) []page {
	t.Helper()
	params := api.Object{"dashboardids": dashboardID, "output": []string{"dashboardid"}, "selectPages": "extend"}
	return picturesOf(t, s, name, "dashboard.get", params, "zabbix.php?action=dashboard.view&dashboardid=")
}

// picturesOf are the pages of the only dashboard that a method finds, each as high as the widgets on it. The pictures of further pages bear their names.
func picturesOf(t *testing.T, s *zabbixserver.Server, name, method string, params api.Object, path string) []page {
	t.Helper()
	var found []struct {
		ID    string `json:"dashboardid"`
		Pages []struct {
			Name    string
			Widgets []struct{ Y, Height json.Number } `json:"widgets"`
		} `json:"pages"`
	}
	require.NoError(t, s.API().Call(method, params, &found))
	require.Len(t, found, 1)
	var pages []page
	for i, one := range found[0].Pages {
		rows := int64(0)
		for _, widget := range one.Widgets {
			y, err := widget.Y.Int64()
			require.NoError(t, err)
			height, err := widget.Height.Int64()
			require.NoError(t, err)
			rows = max(rows, y+height)
		}
		file := name
		if i > 0 {
			file += "_" + strings.ToLower(strings.ReplaceAll(one.Name, " ", "_"))
		}
		pages = append(pages, page{
			Path: path + found[0].ID + "&kiosk=1&from=now-1h&to=now", Number: i + 1, File: file + ".png",
			Width: pictureWidth, Height: headPixels + rows*rowPixels,
		})
	}
	return pages
}

// pictureHost makes a host with all templates and its last hour, and returns its id. From half of the hour on its memory leaks and its site is reset now and then.
func pictureHost(t *testing.T, s *zabbixserver.Server, begin time.Time) string {
	t.Helper()
	host := zabbixapi.Host{Name: pictured, Groups: []string{fleetGroup}}
	for _, file := range passive(files(t, s.Version())) {
		if file.name == fleetFile {
			continue
		}
		require.NoError(t, s.API().ImportTemplates(activeForm(t, pushable(t, file.text))))
		host.Templates = append(host.Templates, file.templates...)
	}
	id, err := s.API().CreateHost(host)
	require.NoError(t, err)
	require.NoError(t, s.Sync())
	p := &player{host: pictured, client: trapper.New(s.Address())}
	p.learn()
	p.send(p.valuesAt(begin, true, hourAt(0)...))
	_, err = p.client.SendAgent(trapper.Value{Host: pictured, Key: siteDiscovery, Value: discoveredSites(t), At: begin})
	require.NoError(t, err)
	_, err = s.API().WaitTrigger(id, "Nginx configuration: /etc/nginx/nginx.conf: Is invalid", patience)
	require.NoError(t, err)
	require.NoError(t, s.Sync())
	p.learn()
	p.items = slices.DeleteFunc(p.items, func(item trapper.Item) bool { return item.Key == siteDiscovery })
	for minute := 1; minute <= picturedMinutes; minute++ {
		at := begin.Add(time.Duration(minute) * time.Minute)
		p.send(p.valuesAt(at, true, hourAt(minute)...))
		for _, site := range sitesOf {
			push(t, s, availabilityAt(pictured, `["`+site+`"]`, "site", minute, at)...)
		}
		push(t, s, availabilityAt(pictured, "", "server", minute, at)...)
	}
	require.NoError(t, p.err)
	return id
}

// discoveredSites is what the plugin says of the sites of a host.
func discoveredSites(t *testing.T) string {
	t.Helper()
	rows := []map[string]string{}
	for _, site := range sitesOf {
		rows = append(rows, map[string]string{"{#SITE}": site, "{#URL}": "https://" + site + ".example/"})
	}
	text, err := json.Marshal(rows)
	require.NoError(t, err)
	return string(text)
}

// failuresAt is how many of the 12 requests of a minute fail.
func failuresAt(minute int) int {
	if minute > 30 && minute%7 < 3 {
		return minute % 5
	}
	return 0
}

// lost is how many requests have failed in the last minutes.
func lost(minute, window int) int {
	sum := 0
	for m := max(0, minute-window) + 1; m <= minute; m++ {
		sum += failuresAt(m)
	}
	return sum
}

// availabilityAt are the availabilities of a site or a server.
func availabilityAt(host, parameter, of string, minute int, at time.Time) []trapper.Value {
	var values []trapper.Value
	for window, minutes := range map[string]int{"5m": 5, "1h": 60, "1d": 24 * 60} {
		percent := 100 * (1 - float64(lost(minute, minutes))/float64(12*minutes))
		values = append(values, trapper.Value{Host: host, Key: of + ".availability." + window + parameter, Value: fmt.Sprint(percent), At: at})
	}
	return values
}

// hourAt is what the plugin of the pictured host says in a minute of the hour.
func hourAt(minute int) []change {
	failed, requests := lost(minute, picturedMinutes), 12*minute
	leaked := max(0, minute-20) * 60 << 20
	wave := float64(minute%9) / 1000
	changes := []change{
		{"hosting.site.get", "requests", requests}, {"hosting.site.get", "ok", requests - failed}, {"hosting.site.get", "failed", failed},
		{"hosting.site.get", "not_tested", 0}, {"hosting.site.get", "reasons.reset_before_response", failed}, {"hosting.site.get", "reasons.local_error", 0},
		{"hosting.site.get", "last.total_s", 0.02 + wave}, {"hosting.site.get", "last.phases.wait_s", 0.012 + wave},
		{"hosting.site.get", "windows.5m.ok.total.p90_s", 0.02 + wave}, {"hosting.site.get", "windows.5m.ok.total.p50_s", 0.01 + wave/3},
		{"hosting.site.get", "windows.5m.ok.total.p99_s", 0.04 + 3*wave}, {"hosting.site.get", "windows.5m.ok.wait.p90_s", 0.012 + wave},
		{"hosting.memory.get", "sunreclaim_bytes", 600<<20 + leaked}, {"hosting.memory.get", "sunreclaim_pct", 2.5 + float64(leaked)/(24<<30)*100},
		{"hosting.memory.get", "slab_bytes", 770<<20 + leaked}, {"hosting.memory.get", "kernel_bytes", 900<<20 + leaked},
		{"hosting.memory.get", "kernel_pct", 3.7 + float64(leaked)/(24<<30)*100},
		{"hosting.slab.get", "watched.kmalloc-64.size_bytes", 28<<20 + leaked}, {"hosting.slab.get", "watched.kmalloc-64.growth_bytes_per_hour", leaked},
		{"hosting.slab.get", "watched.sock_inode_cache.size_bytes", 20<<20 + leaked/3},
		{"hosting.plugin.get", "rss_bytes", 14<<20 + minute%6*100<<10}, {"hosting.plugin.get", "link.rss_bytes", 9 << 20},
		{"hosting.plugin.get", "uptime_s", 1800 + 60*minute}, {"hosting.plugin.get", "helper.state", 1}, {"hosting.plugin.get", "helper.version", "1.2.3"},
	}
	if minute < 45 {
		changes = append(changes, change{nginxKey, "errors", []any{}}, change{nginxKey, "reload_pending", false}, change{nginxKey, "reload_pending_s", 0})
		changes = append(changes, state(0, "")...)
	} else {
		changes = append(changes, state(2, `unknown directive "proxy_pas" in /etc/nginx/sites-enabled/shop.conf:12`)...)
	}
	intruders := []any{}
	if minute >= intrusion {
		intruder := maps.Clone(passing[0].(map[string]any))
		intruder["opened_at"] = float64(time.Now().Add((intrusion - picturedMinutes) * time.Minute).Unix())
		intruders = append(intruders, intruder)
	}
	return append(append(changes, change{eventsKey, "foreigners", intruders}), killsAt(minute)...)
}

// killsAt are the victims of the OOM killer until a minute of the hour: one at shortage.
func killsAt(minute int) []change {
	if minute < shortage {
		return nil
	}
	victim := map[string]any{
		"at": time.Now().Add((shortage - picturedMinutes) * time.Minute).Unix(), "age_s": 60 * (minute - shortage), "name": "php-fpm8.2", "pid": 4321, "uid": 33,
		"constraint": "cgroup", "cgroup": "/system.slice/php8.2-fpm.service", "rss_bytes": 546308096, "trigger": "php-fpm8.2",
	}
	return []change{{oomKey, "kills", 1}, {oomKey, "last_victim", victim}, {oomKey, "victims", []any{victim}}}
}

// pictureFleet makes further hosts with their last values, and the host of the whole hosting with its last hour.
func pictureFleet(t *testing.T, s *zabbixserver.Server, begin time.Time) {
	t.Helper()
	fleet := read(t, filepath.Join("..", string(s.Version()), fleetFile))
	wanted := aggregatedBy(t, fleet.text)
	require.NoError(t, s.API().ImportTemplates(simulated(t, s.Version(), wanted, true, "shop", "blog")))
	require.NoError(t, s.API().ImportTemplates(pushable(t, fleet.text)))
	for i := 2; i < fleetSize; i++ {
		_, err := s.API().CreateHost(zabbixapi.Host{Name: hostNamed(i), Groups: []string{fleetGroup}, Templates: []string{simulatedName}})
		require.NoError(t, err)
	}
	_, err := s.API().CreateHost(zabbixapi.Host{
		Name: "Fleet", Groups: []string{"Hosting fleet"}, Templates: []string{"Hosting fleet"}, Macros: map[string]string{"{$FLEET.GROUP}": fleetGroup},
	})
	require.NoError(t, err)
	require.NoError(t, s.Sync())
	now := begin.Add(picturedMinutes * time.Minute)
	for i := 2; i < fleetSize; i++ {
		push(t, s, lastOf(i, now)...)
	}
	for minute := 1; minute <= picturedMinutes; minute++ {
		push(t, s, fleetAt(minute, begin.Add(time.Duration(minute)*time.Minute))...)
	}
}

// lastOf are the last values of a host: the higher its number, the lower its availability, and from 33 on SUnreclaim falls.
func lastOf(i int, now time.Time) []trapper.Value {
	var values []trapper.Value
	add := func(key string, value float64) {
		values = append(values, trapper.Value{Host: hostNamed(i), Key: key, Value: plain(value), At: now})
	}
	lacking := 0.0
	if i > 40 {
		lacking = float64((i-40)*(i-40)) / 4
	}
	for window, share := range map[string]float64{"5m": 1, "1h": 0.6, "1d": 0.1} {
		add("server.availability."+window, 100-share*lacking)
	}
	for n, site := range sitesOf {
		add(`site.availability.1h["`+site+`"]`, 100-0.6*lacking*float64(2-2*n))
		add(`site.availability.5m["`+site+`"]`, 100-lacking*float64(2-2*n))
	}
	memory := 1 + float64(i%7)/5
	if i >= 33 && i < 40 {
		memory = 40 - float64(i)/2
	}
	add("kmem.sunreclaim.pct", memory)
	add("kmem.sunreclaim", float64(int64(memory/100*64*(1<<30))))
	add("kmem.memory.available.pct", 80-memory)
	return values
}

// fleetAt are the values of the whole hosting in a minute.
func fleetAt(minute int, at time.Time) []trapper.Value {
	drop := 0.0
	if minute > 35 {
		drop = float64(minute-35) / 12
	}
	values := []trapper.Value{}
	for key, value := range map[string]float64{
		"fleet.availability.5m": 99.95 - drop, "fleet.availability.1h": 99.97 - drop/2, "fleet.availability.1d": 99.98 - drop/50,
		"fleet.answered.5m": float64(fleetSize*2*60 - minute%4), "fleet.answered.1h": fleetSize * 2 * 720, "fleet.host.availability.1h": 99.5 - 6*drop,
		"fleet.site.availability.5m": 99 - 12*drop, "fleet.resets.5m": float64(int(20 * drop)), "fleet.p90.5m": 0.4 + drop/3, "fleet.hosts": fleetSize,
		"fleet.hosts.silent": float64(minute / 50), "fleet.hosts.silent.pct": float64(minute/50) * 2, "fleet.sites": 2 * fleetSize,
		"fleet.sites.silent": 0, "fleet.sites.down": float64(minute / 55), "fleet.sunreclaim": float64(int64(70+minute/4) << 30),
		"fleet.sunreclaim.pct": 12 + float64(minute)/5, "fleet.oom.1h": 1, "fleet.helpers.unusable": 0, "fleet.nginx": fleetSize,
		"fleet.nginx.rejected": float64(minute / 45), "fleet.nginx.foreigners": 0,
	} {
		values = append(values, trapper.Value{Host: "Fleet", Key: key, Value: plain(value), At: at})
	}
	return values
}

// plain writes a number without an exponent, which items of whole numbers refuse.
func plain(value float64) string { return strconv.FormatFloat(value, 'f', -1, 64) }

// push sends values of trapper items, and all have to be taken.
func push(t *testing.T, s *zabbixserver.Server, values ...trapper.Value) {
	t.Helper()
	result, err := trapper.New(s.Address()).Send(values...)
	require.NoError(t, err)
	require.Equal(t, trapper.Result{Processed: len(values)}, result)
}
