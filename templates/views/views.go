// Package views makes through the API of Zabbix what templates cannot bring: the dashboard of the whole hosting, and what a customer needs to see the server where
// the account lives and nothing else. What is there already is brought up to date, so that everything can be done again.
package views

import (
	"fmt"
	"maps"
	"slices"

	"zabbix-agent2-plugin-hosting/templates/api"
)

// kind is a kind of objects of the API.
type kind struct{ name, id, ids string }

var (
	dashboards = kind{"dashboard", "dashboardid", "dashboardids"}
	hostGroups = kind{"hostgroup", "groupid", "groupids"}
	hosts      = kind{"host", "hostid", "hostids"}
	roles      = kind{"role", "roleid", "roleids"}
	tokens     = kind{"token", "tokenid", "tokenids"}
	userGroups = kind{"usergroup", "usrgrpid", "usrgrpids"}
	users      = kind{"user", "userid", "userids"}
)

// find returns the id of the object with these values, "" where there is none.
func find(c *api.Client, k kind, where api.Object) (string, error) {
	var found []map[string]any
	if err := c.Call(k.name+".get", api.Object{"output": []string{k.id}, "filter": where}, &found); err != nil {
		return "", err
	}
	if len(found) == 0 {
		return "", nil
	}
	return fmt.Sprint(found[0][k.id]), nil
}

// ensure makes the object with these values, or gives it the further fields where it is there, and returns its id.
func ensure(c *api.Client, k kind, where, fields api.Object) (string, error) {
	id, err := find(c, k, where)
	if err != nil {
		return "", err
	}
	if id == "" {
		return c.Created(k.name+".create", k.ids, merged(where, fields))
	}
	if len(fields) == 0 {
		return id, nil
	}
	return id, c.Call(k.name+".update", merged(api.Object{k.id: id}, fields), nil)
}

// ensureDashboard makes a dashboard, or gives it these pages where it is there. Whom a dashboard belongs to and is shared with stays as it is then.
func ensureDashboard(c *api.Client, name string, widgets []widget, sharing api.Object) (string, error) {
	pages := []api.Object{{"widgets": encode(widgets, c.Is60())}}
	id, err := find(c, dashboards, api.Object{"name": name})
	if err != nil {
		return "", err
	}
	if id == "" {
		return c.Created("dashboard.create", dashboards.ids, merged(api.Object{"name": name, "pages": pages}, sharing))
	}
	return id, c.Call("dashboard.update", api.Object{"dashboardid": id, "pages": pages}, nil)
}

func merged(all ...api.Object) api.Object {
	whole := api.Object{}
	for _, one := range all {
		maps.Copy(whole, one)
	}
	return whole
}

// itemIDs returns the ids of a host's items by their keys. The template is the one that they come from.
func itemIDs(c *api.Client, hostID, host, template string, keys []string) (map[string]string, error) {
	var found []struct {
		ID  string `json:"itemid"`
		Key string `json:"key_"`
	}
	if err := c.Call("item.get", api.Object{"hostids": hostID, "output": []string{"itemid", "key_"}, "filter": api.Object{"key_": keys}}, &found); err != nil {
		return nil, err
	}
	ids := map[string]string{}
	for _, item := range found {
		ids[item.Key] = item.ID
	}
	missing := slices.DeleteFunc(slices.Clone(keys), func(key string) bool { return ids[key] != "" })
	if len(missing) > 0 {
		return nil, fmt.Errorf("cannot show the host %s: it has no %v; link the template %q to it", host, missing, template)
	}
	return ids, nil
}
