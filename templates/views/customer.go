package views

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/templates/api"
)

const (
	// role is what all customers may do.
	role         = "Hosting customer"
	siteTemplate = "Hosting test site by Zabbix agent 2"
	tokenName    = "Control panel"
	readOnly     = 2
	// siteTag is the tag of a problem that a test site has.
	siteTag      = "site"
	ordinaryUser = 1
)

// allowedMethods are all that a customer's token may call. apiinfo.version needs no right.
var allowedMethods = []string{"history.get", "host.get", "item.get", "problem.get", "trend.get"}

// ErrNotACustomer is that somebody else than a customer has the name.
var ErrNotACustomer = errors.New("the user of that name has another role; choose another name")

// Customer is who is to see a server. Only Name and Server are needed.
type Customer struct {
	// Name is the name of the user in Zabbix.
	Name string
	// Server is the technical name of the host where the account lives.
	Server string
	// Password is for the frontend; without one nobody can log in there as a new customer, and that of an old one stays.
	Password string
	// NewToken makes a new token in place of the old one, which is of no use then.
	NewToken bool
	// TokenFor is how long a new token can be used, for ever where it is zero.
	TokenFor time.Duration
}

// View is what a customer has been given.
type View struct {
	User        string `json:"user"`
	UserID      string `json:"userid"`
	Server      string `json:"server"`
	HostID      string `json:"hostid"`
	DashboardID string `json:"dashboardid"`
	// Token is empty where the one that was given earlier is still good: Zabbix does not tell it again.
	Token string `json:"token,omitempty"`
}

// serverGroup is the name of what belongs to one server: its host group, the users who may see it, and their dashboard.
func serverGroup(server string) string { return "Hosting server " + server }

// EnsureCustomer lets a customer read one server, and no other any more.
func EnsureCustomer(c *api.Client, customer Customer) (View, error) {
	v := View{User: customer.Name, Server: customer.Server}
	current, err := customerID(c, customer.Name)
	if err != nil {
		return View{}, err
	}
	if v.HostID, err = c.Find("host.get", "hostid", "the host "+customer.Server, api.Object{"filter": api.Object{"host": customer.Server}}); err != nil {
		return View{}, err
	}
	readers, err := ensureServer(c, customer.Server, &v)
	if err != nil {
		return View{}, err
	}
	roleID, err := ensure(c, roles, api.Object{"name": role}, api.Object{"type": ordinaryUser, "rules": rules(c.Is60())})
	if err != nil {
		return View{}, err
	}
	fields := api.Object{"roleid": roleID, "usrgrps": []api.Object{{"usrgrpid": readers}}, "url": "zabbix.php?action=dashboard.view&dashboardid=" + v.DashboardID}
	if customer.Password == "" && current == "" {
		// Whatever the server demands of a password is in it.
		customer.Password = rand.Text() + "-a1"
	}
	if customer.Password != "" {
		fields["passwd"] = customer.Password
	}
	if v.UserID, err = ensure(c, users, api.Object{"username": customer.Name}, fields); err != nil {
		return View{}, err
	}
	v.Token, err = ensureToken(c, v.UserID, customer)
	return v, err
}

// ensureServer makes the groups and the dashboard of a server, and returns the id of its user group.
func ensureServer(c *api.Client, server string, v *View) (readers string, err error) {
	name := serverGroup(server)
	ids, err := itemIDs(c, v.HostID, server, siteTemplate, []string{"server.availability.5m", "server.availability.1h", "server.availability.1d"})
	if err != nil {
		return "", err
	}
	groupID, err := ensure(c, hostGroups, api.Object{"name": name}, nil)
	if err != nil {
		return "", err
	}
	added := api.Object{"hosts": []api.Object{{"hostid": v.HostID}}, "groups": []api.Object{{"groupid": groupID}}}
	if err := c.Call("host.massadd", added, nil); err != nil {
		return "", err
	}
	rights := "hostgroup_rights"
	if c.Is60() {
		rights = "rights"
	}
	readers, err = ensure(c, userGroups, api.Object{"name": name}, api.Object{
		rights: []api.Object{{"id": groupID, "permission": readOnly}},
		// Other problems name processes, and files of other customers.
		"tag_filters": []api.Object{{"groupid": groupID, "tag": siteTag, "value": ""}},
	})
	if err != nil {
		return "", err
	}
	shared := api.Object{"private": 1, "userGroups": []api.Object{{"usrgrpid": readers, "permission": readOnly}}}
	v.DashboardID, err = ensureDashboard(c, name, serverWidgets(server, groupID, ids), shared)
	return readers, err
}

// serverWidgets is the dashboard of one server.
func serverWidgets(server, groupID string, ids map[string]string) []widget {
	return []widget{
		value(availability5m, ids["server.availability.5m"], 2).at(0, 0, 24, 3),
		value(availability1h, ids["server.availability.1h"], 2).at(24, 0, 24, 3),
		value(availability1d, ids["server.availability.1d"], 2).at(48, 0, 24, 3),
		graph("Availability", line{server, availability5m, "1A7C11"}, line{server, availability1h, "2774A4"}, line{server, siteAnd + availability5m, "FB8C00"}).at(0, 3, 72, 7),
		problems(groupID).at(0, 10, 72, 6),
	}
}

// rules let a customer look at dashboards and call a few methods that change nothing.
func rules(is60 bool) api.Object {
	all := api.Object{
		"ui": []api.Object{{"name": "monitoring.dashboard", "status": 1}}, "ui.default_access": 0,
		"services.read.mode": 0, "services.read.list": []api.Object{}, "services.write.mode": 0, "services.write.list": []api.Object{},
		"api.access": 1, "api.mode": 1, "api": allowedMethods, "actions.default_access": 0,
	}
	if is60 {
		// Widgets are modules in 7.0, of which all may be seen; modules of 6.0 are pages that somebody else made.
		all["modules.default_access"] = 0
	}
	return all
}

// customerID returns the id of a customer, "" where there is none.
func customerID(c *api.Client, name string) (string, error) {
	var found []struct {
		ID   string `json:"userid"`
		Role struct {
			Name string `json:"name"`
		} `json:"role"`
	}
	params := api.Object{"output": []string{"userid"}, "filter": api.Object{"username": name}, "selectRole": []string{"name"}}
	if err := c.Call("user.get", params, &found); err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", nil
	}
	if found[0].Role.Name != role {
		return "", fmt.Errorf("cannot make %s a customer: %w", name, ErrNotACustomer)
	}
	return found[0].ID, nil
}

// ensureToken returns a new token, or "" where there is one already that is to stay.
func ensureToken(c *api.Client, userID string, customer Customer) (string, error) {
	where := api.Object{"name": tokenName, "userid": userID}
	id, err := find(c, tokens, where)
	if err != nil || id != "" && !customer.NewToken {
		return "", err
	}
	fields := api.Object{"expires_at": 0}
	if customer.TokenFor > 0 {
		fields["expires_at"] = time.Now().Add(customer.TokenFor).Unix()
	}
	if id, err = ensure(c, tokens, where, fields); err != nil {
		return "", err
	}
	var made []struct {
		Token string `json:"token"`
	}
	if err := c.Call("token.generate", []string{id}, &made); err != nil {
		return "", err
	}
	if len(made) != 1 {
		return "", fmt.Errorf("cannot tell the token of %s: token.generate made %d; look into the manual of %s", customer.Name, len(made), c.Version())
	}
	return made[0].Token, nil
}

// RemoveCustomer removes a customer and the token. What belongs to the server stays, for its other customers.
func RemoveCustomer(c *api.Client, name string) error {
	id, err := customerID(c, name)
	if err != nil {
		return err
	}
	if id == "" {
		return fmt.Errorf("cannot remove the customer %s: there is no such user; check the name", name)
	}
	return c.Call("user.delete", []string{id}, nil)
}
