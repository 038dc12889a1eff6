//go:build e2e

package e2e

import (
	"encoding/json"
	"os"
	"os/exec"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/api"
	"zabbix-agent2-plugin-hosting/templates/views"
	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// customersServer is a host with a customer, and an item of it that has a value.
type customersServer struct{ name, hostID, itemID, customer, dashboardID, token string }

// hostingViews runs the command hosting-views with the token of a super admin and returns what it tells.
func hostingViews(t *testing.T, s *zabbixserver.Server, token string, arguments ...string) []byte {
	t.Helper()
	command := exec.Command("go", append([]string{"run", "../cmd/hosting-views"}, arguments...)...)
	command.Env = append(os.Environ(), "ZABBIX_URL="+s.URL(), "ZABBIX_TOKEN="+token)
	command.Stderr = os.Stderr
	out, err := command.Output()
	require.NoError(t, err)
	return out
}

// adminToken makes an API token of the super admin.
func adminToken(t *testing.T, s *zabbixserver.Server) string {
	t.Helper()
	id, err := s.API().Created("token.create", "tokenids", api.Object{"name": "hosting-views"})
	require.NoError(t, err)
	var made []struct{ Token string }
	require.NoError(t, s.API().Call("token.generate", []string{id}, &made))
	return made[0].Token
}

// createServer makes a host of the hosting with an availability of 75 %, and a customer of it.
func createServer(t *testing.T, s *zabbixserver.Server, token, name string) customersServer {
	t.Helper()
	one := customersServer{name: name, customer: "customer of " + name}
	var err error
	one.hostID, err = s.API().CreateHost(zabbixapi.Host{Name: name, Groups: []string{fleetGroup}, Templates: []string{simulatedName}})
	require.NoError(t, err)
	require.NoError(t, s.Sync())
	now := time.Now()
	require.NoError(t, s.Push(
		trapper.Value{Host: name, Key: `site.ok.new["shop"]`, Value: "75", At: now}, trapper.Value{Host: name, Key: `site.failed.new["shop"]`, Value: "25", At: now},
	))
	var view views.View
	require.NoError(t, json.Unmarshal(hostingViews(t, s, token, "customer", one.customer, name), &view))
	require.Equal(t, one.hostID, view.HostID)
	require.NotEmpty(t, view.Token)
	one.dashboardID, one.token = view.DashboardID, view.Token
	items, _, err := s.API().WaitItems(one.hostID, patience, time.Time{}, "server.availability.1h")
	require.NoError(t, err)
	one.itemID = items["server.availability.1h"].ID
	site, scope := api.Object{"tag": "site", "value": "shop"}, api.Object{"tag": "scope", "value": "capacity"}
	createProblem(t, s, one, "Kernel memory of "+name+" leaks", scope)
	createProblem(t, s, one, "Connections to "+name+" are reset: php-fpm of another customer", site, scope)
	createProblem(t, s, one, "Availability of "+name+" is low", site, api.Object{"tag": "audience", "value": "customer"})
	return one
}

// createProblem makes a trigger with tags on a host, which has a problem at once.
func createProblem(t *testing.T, s *zabbixserver.Server, on customersServer, name string, tags ...api.Object) {
	t.Helper()
	_, err := s.API().Created("trigger.create", "triggerids", api.Object{
		"description": name, "expression": "last(/" + on.name + "/server.availability.1h)<90", "priority": high, "tags": tags,
	})
	require.NoError(t, err)
	_, _, err = s.API().WaitProblem(on.hostID, name, patience)
	require.NoError(t, err)
}

func TestACustomerReadsTheOwnServerAndNothingElse(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		importSimulated(t, s, "shop")
		token := adminToken(t, s)
		own, other := createServer(t, s, token, "web1"), createServer(t, s, token, "web2")
		customer, err := api.New(s.URL(), own.token)
		require.NoError(t, err)

		t.Run("the availability of the own server is read", func(t *testing.T) {
			require.Equal(t, []string{own.hostID}, serversOf(t, customer))
			values := read1(t, customer, "item.get", "lastvalue", api.Object{
				"output": []string{"lastvalue"}, "hostids": own.hostID, "filter": api.Object{"key_": "server.availability.1h"},
			})
			require.Equal(t, []string{"75"}, values)
			require.Contains(t, read1(t, customer, "history.get", "value", api.Object{"itemids": own.itemID, "history": 0}), "75")
			require.Equal(t, []string{"Availability of web1 is low"}, read1(t, customer, "problem.get", "name", api.Object{}))
		})
		t.Run("the calls of the README are answered as it says", func(t *testing.T) { requireReadme(t, customer, own) })
		for name, call := range readsOf(other) {
			t.Run("nothing is read of "+name, func(t *testing.T) {
				var found []any
				require.NoError(t, customer.Call(call.method, call.params, &found))
				require.Empty(t, found)
			})
		}
		for name, call := range refused(s.Version(), own, other) {
			t.Run("refused: "+name, func(t *testing.T) {
				var refusal *api.Error
				require.ErrorAs(t, customer.Call(call.method, call.params, nil), &refusal)
				require.Contains(t, refusal.Data, `No permissions to call "`+call.method+`"`)
			})
		}
		requireMoves(t, s, token, own, other, customer)
		t.Run("nobody else becomes a customer, nor is removed as one", func(t *testing.T) {
			_, err := views.EnsureCustomer(s.API().Client, views.Customer{Name: zabbixapi.Admin, Server: own.name})
			require.ErrorIs(t, err, views.ErrNotACustomer)
			require.ErrorIs(t, views.RemoveCustomer(s.API().Client, zabbixapi.Admin), views.ErrNotACustomer)
		})
		t.Run("a host without availability is refused before anything is made", func(t *testing.T) {
			_, err := s.API().CreateHost(zabbixapi.Host{Name: "bare"})
			require.NoError(t, err)
			_, err = views.EnsureCustomer(s.API().Client, views.Customer{Name: "new", Server: "bare"})
			require.EqualError(t, err, "cannot show the host bare: it has no [server.availability.5m server.availability.1h server.availability.1d]; "+
				`link the template "Hosting test site by Zabbix agent 2" to it`)
			require.Empty(t, read1(t, s.API().Client, "user.get", "userid", api.Object{"filter": api.Object{"username": "new"}}))
			require.Empty(t, read1(t, s.API().Client, "hostgroup.get", "groupid", api.Object{"filter": api.Object{"name": "Hosting server bare"}}))
		})
		require.Empty(t, s.FrontendErrors())
	})
}

// read1 is one field of what a method finds.
func read1(t *testing.T, c *api.Client, method, field string, params api.Object) []string {
	t.Helper()
	var found []map[string]any
	require.NoError(t, c.Call(method, params, &found))
	all := make([]string, len(found))
	for i, one := range found {
		all[i], _ = one[field].(string)
	}
	return all
}

// requireMoves has a customer move to another server and back, with a new token in the end, and go. The client has the customer's first token.
func requireMoves(t *testing.T, s *zabbixserver.Server, token string, own, other customersServer, customer *api.Client) {
	t.Helper()
	t.Run("a moved customer reads the new server only, with the same token", func(t *testing.T) {
		var moved views.View
		require.NoError(t, json.Unmarshal(hostingViews(t, s, token, "customer", own.customer, other.name), &moved))
		require.Empty(t, moved.Token)
		require.Equal(t, []string{other.hostID}, serversOf(t, customer))
	})
	t.Run("a new token makes the old one useless", func(t *testing.T) {
		view, err := views.EnsureCustomer(s.API().Client, views.Customer{Name: own.customer, Server: own.name, NewToken: true, TokenFor: time.Hour})
		require.NoError(t, err)
		require.Error(t, customer.Call("item.get", api.Object{}, nil))
		customer, err = api.New(s.URL(), view.Token)
		require.NoError(t, err)
		require.Equal(t, []string{own.hostID}, serversOf(t, customer))
	})
	t.Run("a token has a time of its own until it is over", func(t *testing.T) { requireTokensTime(t, s, own, customer) })
	t.Run("a removed customer reads nothing", func(t *testing.T) {
		hostingViews(t, s, token, "remove", own.customer)
		require.Error(t, customer.Call("item.get", api.Object{}, nil))
		require.EqualError(t, views.RemoveCustomer(s.API().Client, own.customer),
			"cannot remove the customer customer of web1: there is no such user; check the name")
	})
}
