package views

import (
	"crypto/rand"
	"errors"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/templates/api"
)

const (
	siteTemplate = "Hosting test site by Zabbix agent 2"
	readOnly     = 2
	// audienceTag with customers is the tag of a problem that names nothing but the site and how it does. Others of a test site name processes of other users.
	audienceTag, customers = "audience", "customer"
)

var (
	// ErrNotACustomer is that somebody else than a customer has the name.
	ErrNotACustomer = errors.New("the user of that name has another role; choose another name")
	// ErrOneWay is that a user is to log in to the frontend and to have a token: with it whoever logs in would read every item of the server.
	ErrOneWay = errors.New("a user has either a password or a token; make one user for the frontend and another for the control panel")
)

// Customer is who is to see a server. Only Name and Server are needed.
type Customer struct {
	// Name is the name of the user in Zabbix.
	Name string
	// Server is the technical name of the host where the account lives.
	Server string
	// Password makes a user of the frontend, who has no token and may not call the API. Without one a new user has a token, and nobody can log in.
	Password string
	// NewToken makes a new token in place of the old one, which is of no use then.
	NewToken bool
	// TokenFor is how long a new token can be used, for ever where it is zero. That of an old one stays, so the two do not go together without NewToken.
	TokenFor time.Duration
}

// View is what a customer has been given.
type View struct {
	User        string `json:"user"`
	UserID      string `json:"userid"`
	Server      string `json:"server"`
	HostID      string `json:"hostid"`
	DashboardID string `json:"dashboardid"`
	// Token is empty for a user of the frontend, and where the one that was given earlier is still good: Zabbix does not tell it again.
	Token string `json:"token,omitempty"`
}

// serverGroup is the name of what belongs to one server: its host group, the users who may see it, and their dashboard.
func serverGroup(server string) string { return "Hosting server " + server }

// EnsureCustomer lets a customer read one server, and no other any more.
func EnsureCustomer(c *api.Client, customer Customer) (View, error) {
	v := View{User: customer.Name, Server: customer.Server}
	old, err := findUser(c, customer.Name)
	if err != nil {
		return View{}, err
	}
	as, err := customer.roleAfter(old)
	if err != nil {
		return View{}, err
	}
	if err := customer.checkToken(c, old); err != nil {
		return View{}, err
	}
	if v.HostID, err = c.Find("host.get", "hostid", "the host "+customer.Server, api.Object{"filter": api.Object{"host": customer.Server}}); err != nil {
		return View{}, err
	}
	readers, err := ensureServer(c, customer.Server, &v)
	if err != nil {
		return View{}, err
	}
	roleID, err := ensureRole(c, as)
	if err != nil {
		return View{}, err
	}
	fields := api.Object{"roleid": roleID, "usrgrps": []api.Object{{"usrgrpid": readers}}, "url": "zabbix.php?action=dashboard.view&dashboardid=" + v.DashboardID}
	if customer.Password == "" && old.id == "" {
		// Whatever the server demands of a password is in it.
		customer.Password = rand.Text() + "-a1"
	}
	if customer.Password != "" {
		fields["passwd"] = customer.Password
	}
	if v.UserID, err = ensure(c, users, api.Object{"username": customer.Name}, fields); err != nil || as == frontendRole {
		return v, err
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
		rights:        []api.Object{{"id": groupID, "permission": readOnly}},
		"tag_filters": []api.Object{{"groupid": groupID, "tag": audienceTag, "value": customers}},
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
		problems(groupID, withoutData).at(0, 10, 72, 6),
	}
}

// RemoveCustomer removes a customer and the token. What belongs to the server stays, for its other customers.
func RemoveCustomer(c *api.Client, name string) error {
	old, err := findUser(c, name)
	if err != nil {
		return err
	}
	if old.id == "" {
		return fmt.Errorf("cannot remove the customer %s: there is no such user; check the name", name)
	}
	return c.Call("user.delete", []string{old.id}, nil)
}
