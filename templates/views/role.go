package views

import (
	"encoding/json"
	"fmt"

	"zabbix-agent2-plugin-hosting/templates/api"
)

const (
	// panelRole is what the user of a control panel may do, and frontendRole a customer who logs in.
	panelRole    = "Hosting customer"
	frontendRole = "Hosting customer with password"
	ordinaryUser = 1
)

// allowedMethods are all that a customer's token may call. apiinfo.version needs no right. Not host.get, which tells macros.
var allowedMethods = []string{"history.get", "item.get", "problem.get", "trend.get"}

// ensureRole makes a role, or gives it its rules where it is there, and returns its id.
func ensureRole(c *api.Client, name string) (string, error) {
	id, err := ensure(c, roles, api.Object{"name": name}, api.Object{"type": ordinaryUser})
	if err != nil {
		return "", err
	}
	var found []struct {
		Rules offered `json:"rules"`
	}
	if err := c.Call("role.get", api.Object{"roleids": id, "output": []string{"roleid"}, "selectRules": []string{"ui", "actions", "modules"}}, &found); err != nil {
		return "", err
	}
	if len(found) != 1 {
		return "", fmt.Errorf("cannot give the role %s its rules: role.get finds %d; check that this user is a super admin", name, len(found))
	}
	return id, c.Call("role.update", api.Object{"roleid": id, "rules": found[0].Rules.rules(name, c.Is60())}, nil)
}

// offered are the pages, actions and modules that a version has.
type offered struct {
	UI      []element `json:"ui"`
	Actions []element `json:"actions"`
	Modules []element `json:"modules"`
}

// element is one of them; a module has an id instead of a name.
type element struct {
	Name     string          `json:"name"`
	ModuleID json.RawMessage `json:"moduleid"`
}

// rules let a user look at dashboards, and that of a control panel call a few methods that change nothing. What a role does not name stays as it was, and that is
// open at first, whatever the default_access is: so all is named.
func (o offered) rules(role string, is60 bool) api.Object {
	all := api.Object{
		"ui": only(o.UI, "monitoring.dashboard"), "ui.default_access": 0, "actions": only(o.Actions, ""), "actions.default_access": 0,
		"services.read.mode": 0, "services.read.list": []api.Object{}, "services.write.mode": 0, "services.write.list": []api.Object{},
		"api.access": 0,
	}
	if role == panelRole {
		all = merged(all, api.Object{"api.access": 1, "api.mode": 1, "api": allowedMethods})
	}
	if is60 {
		// Widgets are modules in 7.0, of which all may be seen; modules of 6.0 are pages that somebody else made.
		all = merged(all, api.Object{"modules": only(o.Modules, ""), "modules.default_access": 0})
	}
	return all
}

// only opens the element of one name and closes all others.
func only(all []element, name string) []api.Object {
	statuses := make([]api.Object, len(all))
	for i, one := range all {
		switch {
		case one.ModuleID != nil:
			statuses[i] = api.Object{"moduleid": one.ModuleID, "status": 0}
		case one.Name == name:
			statuses[i] = api.Object{"name": one.Name, "status": 1}
		default:
			statuses[i] = api.Object{"name": one.Name, "status": 0}
		}
	}
	return statuses
}

// user is a customer in Zabbix; the zero value is none.
type user struct{ id, role string }

// findUser returns the customer of that name.
func findUser(c *api.Client, name string) (user, error) {
	var found []struct {
		ID   string `json:"userid"`
		Role struct {
			Name string `json:"name"`
		} `json:"role"`
	}
	params := api.Object{"output": []string{"userid"}, "filter": api.Object{"username": name}, "selectRole": []string{"name"}}
	if err := c.Call("user.get", params, &found); err != nil {
		return user{}, err
	}
	if len(found) == 0 {
		return user{}, nil
	}
	one := user{found[0].ID, found[0].Role.Name}
	if one.role != panelRole && one.role != frontendRole {
		return user{}, fmt.Errorf("cannot make %s a customer: %w", name, ErrNotACustomer)
	}
	return one, nil
}

// roleAfter is the role that a customer is to have: an old one keeps the one there is.
func (customer Customer) roleAfter(old user) (string, error) {
	as := panelRole
	if old.role == frontendRole || old.id == "" && customer.Password != "" {
		as = frontendRole
	}
	if as == panelRole && customer.Password != "" {
		return "", fmt.Errorf("cannot give %s a password: the user is of a control panel; %w", customer.Name, ErrOneWay)
	}
	if as == frontendRole && (customer.NewToken || customer.TokenFor > 0) {
		return "", fmt.Errorf("cannot give %s a token: the user is of the frontend; %w", customer.Name, ErrOneWay)
	}
	return as, nil
}
