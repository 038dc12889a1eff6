//go:build e2e

package e2e

import (
	"fmt"
	"io"
	"net/http"
	"net/http/cookiejar"
	"net/url"
	"path/filepath"
	"regexp"
	"slices"
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
	// secretText is in an item of the server that is not for its customers.
	secretText  = "/srv/another-customer/wp-config.php"
	secretKey   = "nginx.errors.text"
	denied      = "Access denied"
	loginLimit  = time.Minute
	visitorName = "visitor"
)

// sessionToken is what 6.0 wants with each request of a page for one of its parts.
var sessionToken = regexp.MustCompile(`name="csrf-token" content="(\w+)"`)

// With a password a customer once had the rights of the control panel's token, too.
func TestACustomerWithAPasswordSeesTheDashboardOnly(t *testing.T) {
	eachVersion(t, func(t *testing.T, s *zabbixserver.Server) {
		importSimulated(t, s, "shop")
		own := createServer(t, s, adminToken(t, s), "web1")
		itemID := pushSecret(t, s, own)
		visit := views.Customer{Name: visitorName, Server: own.name, Password: customerPassword}
		view, err := views.EnsureCustomer(s.API().Client, visit)
		require.NoError(t, err)
		require.Empty(t, view.Token)
		requireNoAPI(t, s)
		browser := logIn(t, s, visitorName, customerPassword)

		t.Run("every page but the dashboard is closed, and every action", func(t *testing.T) { requireClosed(t, s, view.UserID, own.customer) })
		t.Run("the dashboard is shown, and pages beside it are not", func(t *testing.T) {
			for page, shown := range map[string]bool{
				"zabbix.php?action=dashboard.view&dashboardid=" + view.DashboardID: true,
				"zabbix.php?action=latest.view":                                    false,
				"zabbix.php?action=problem.view":                                   false,
				"zabbix.php?action=host.view":                                      false,
				"zabbix.php?action=search&search=web":                              true,
				"history.php?action=showvalues&itemids%5B%5D=" + itemID:            false,
			} {
				text := get(t, browser, s.URL()+"/"+page)
				require.NotContains(t, text, `name="password"`, "not logged in at "+page)
				require.NotContains(t, text, secretText)
				if shown {
					require.NotContains(t, text, denied, page)
				} else {
					require.Contains(t, text, denied, page)
				}
			}
		})
		t.Run("the last value of an item is in a widget for whoever knows its number, as the README says", func(t *testing.T) {
			asked := url.Values{"fields[itemid][0]": {itemID}}
			if s.Version() == zabbixserver.V60 {
				token := sessionToken.FindStringSubmatch(get(t, browser, s.URL()+"/zabbix.php?action=dashboard.view&dashboardid="+view.DashboardID))
				require.NotNil(t, token)
				asked = url.Values{"fields": {`{"itemid":["` + itemID + `"]}`}, "sid": {token[1]}}
			}
			require.Contains(t, get(t, browser, s.URL()+"/zabbix.php?action=widget.item.view&"+asked.Encode()), filepath.Base(secretText))
		})
		t.Run("a user of the frontend gets no token, and one of a control panel no password", func(t *testing.T) {
			for _, wanted := range []views.Customer{
				{Name: visitorName, Server: own.name, NewToken: true}, {Name: visitorName, Server: own.name, TokenFor: time.Hour},
				{Name: "both", Server: own.name, Password: customerPassword, NewToken: true}, {Name: own.customer, Server: own.name, Password: customerPassword},
			} {
				_, err := views.EnsureCustomer(s.API().Client, wanted)
				require.ErrorIs(t, err, views.ErrOneWay)
			}
		})
		t.Run("the user stays one of the frontend without the password being given again", func(t *testing.T) {
			again, err := views.EnsureCustomer(s.API().Client, views.Customer{Name: visitorName, Server: own.name})
			require.NoError(t, err)
			require.Equal(t, view, again)
			requireNoAPI(t, s)
		})
		require.Empty(t, s.FrontendErrors())
	})
}

// pushSecret gives a server an item with a text, and returns the item's id.
func pushSecret(t *testing.T, s *zabbixserver.Server, on customersServer) string {
	t.Helper()
	const trapperItem, text = 2, 4
	id, err := s.API().Created("item.create", "itemids", api.Object{"hostid": on.hostID, "name": "Errors", "key_": secretKey, "type": trapperItem, "value_type": text})
	require.NoError(t, err)
	require.NoError(t, s.Sync())
	require.NoError(t, s.Push(trapper.Value{Host: on.name, Key: secretKey, Value: secretText, At: time.Now()}))
	_, _, err = s.API().WaitItems(on.hostID, patience, time.Time{}, secretKey)
	require.NoError(t, err)
	return id
}

// requireClosed looks at the roles of both kinds of customers. What a role did not name was open once, whatever its default.
func requireClosed(t *testing.T, s *zabbixserver.Server, userID, panelUser string) {
	t.Helper()
	for _, where := range []api.Object{{"userid": userID}, {"username": panelUser}} {
		var found []struct{ RoleID string }
		require.NoError(t, s.API().Call("user.get", api.Object{"output": []string{"roleid"}, "filter": where}, &found))
		require.Len(t, found, 1)
		var roles []struct {
			Rules struct{ UI, Actions []map[string]any }
		}
		require.NoError(t, s.API().Call("role.get", api.Object{"roleids": found[0].RoleID, "selectRules": []string{"ui", "actions"}}, &roles))
		require.Len(t, roles, 1)
		open := []string{}
		for _, one := range slices.Concat(roles[0].Rules.UI, roles[0].Rules.Actions) {
			if fmt.Sprint(one["status"]) != "0" {
				open = append(open, fmt.Sprint(one["name"]))
			}
		}
		require.Equal(t, []string{"monitoring.dashboard"}, open)
	}
}

// requireNoAPI tries to log in to the API as the visitor and to read.
func requireNoAPI(t *testing.T, s *zabbixserver.Server) {
	t.Helper()
	session, err := zabbixapi.Login(s.URL(), visitorName, customerPassword)
	if err != nil {
		var refusal *api.Error
		require.ErrorAs(t, err, &refusal)
		return
	}
	for _, method := range []string{"history.get", "host.get", "item.get", "problem.get", "trend.get", "usermacro.get"} {
		var refusal *api.Error
		require.ErrorAs(t, session.Call(method, api.Object{}, nil), &refusal)
		require.Contains(t, refusal.Data, `No permissions to call "`+method+`"`)
	}
}

// logIn fills the form of the frontend in, and returns a client that has its cookie.
func logIn(t *testing.T, s *zabbixserver.Server, user, password string) *http.Client {
	t.Helper()
	jar, err := cookiejar.New(nil)
	require.NoError(t, err)
	browser := &http.Client{Jar: jar, Timeout: loginLimit, Transport: &http.Transport{DisableKeepAlives: true}}
	response, err := browser.PostForm(s.URL()+"/index.php", url.Values{"name": {user}, "password": {password}, "enter": {"Sign in"}})
	require.NoError(t, err)
	require.NoError(t, response.Body.Close())
	return browser
}

func get(t *testing.T, browser *http.Client, address string) string {
	t.Helper()
	response, err := browser.Get(address)
	require.NoError(t, err)
	defer func() { require.NoError(t, response.Body.Close()) }()
	text, err := io.ReadAll(response.Body)
	require.NoError(t, err)
	return string(text)
}

// requireTokensTime tries to give a token another time, and has one end whose time is over. The client has the token.
func requireTokensTime(t *testing.T, s *zabbixserver.Server, own customersServer, customer *api.Client) {
	t.Helper()
	_, err := views.EnsureCustomer(s.API().Client, views.Customer{Name: own.customer, Server: own.name, TokenFor: 2 * time.Hour})
	require.ErrorIs(t, err, views.ErrTokenStays)
	again, err := views.EnsureCustomer(s.API().Client, views.Customer{Name: own.customer, Server: own.name})
	require.NoError(t, err)
	require.Empty(t, again.Token)

	ids := read1(t, s.API().Client, "token.get", "tokenid", api.Object{"userids": again.UserID})
	require.Len(t, ids, 1)
	require.NoError(t, s.API().Call("token.update", api.Object{"tokenid": ids[0], "expires_at": time.Now().Add(-time.Minute).Unix()}, nil))
	require.Error(t, customer.Call("item.get", api.Object{}, nil))
	renewed, err := views.EnsureCustomer(s.API().Client, views.Customer{Name: own.customer, Server: own.name, TokenFor: time.Hour})
	require.NoError(t, err)
	customer2, err := api.New(s.URL(), renewed.Token)
	require.NoError(t, err)
	require.Equal(t, []string{own.hostID}, serversOf(t, customer2))
}
