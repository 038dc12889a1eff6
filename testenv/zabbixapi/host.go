package zabbixapi

import (
	"fmt"
	"net"
)

// DefaultGroup is the group of hosts that have none, which every new server has.
const DefaultGroup = "Linux servers"

// Host describes a host that is to be monitored.
type Host struct {
	// Name is the host's technical name, which active agents send.
	Name string
	// Groups are names of host groups, made where they are missing; DefaultGroup where there is none.
	Groups []string
	// Templates are technical names of templates.
	Templates []string
	// Agent is host:port of the agent, an IP address; a host without has no interface.
	Agent string
	// Macros are user macros with their braces and dollar sign.
	Macros map[string]string
	// Tags are the host's.
	Tags []Tag
	// ProxyID is who monitors the host; the server where it is empty.
	ProxyID string
}

// Tag is a tag of a host, an item, a trigger or a problem.
type Tag struct {
	Tag   string `json:"tag"`
	Value string `json:"value"`
}

// CreateHost makes a host and returns its id.
func (c *Client) CreateHost(h Host) (string, error) {
	if len(h.Groups) == 0 {
		h.Groups = []string{DefaultGroup}
	}
	groups, templates, macros, interfaces := []object{}, []object{}, []object{}, []object{}
	for _, name := range h.Groups {
		id, err := c.EnsureHostGroup(name)
		if err != nil {
			return "", err
		}
		groups = append(groups, object{"groupid": id})
	}
	for _, name := range h.Templates {
		id, err := c.TemplateID(name)
		if err != nil {
			return "", err
		}
		templates = append(templates, object{"templateid": id})
	}
	for name, value := range h.Macros {
		macros = append(macros, object{"macro": name, "value": value})
	}
	if h.Agent != "" {
		address, port, err := net.SplitHostPort(h.Agent)
		if err != nil {
			return "", fmt.Errorf("cannot make the host %s: %w; give its agent as address:port", h.Name, err)
		}
		interfaces = append(interfaces, object{"type": 1, "main": 1, "useip": 1, "ip": address, "dns": "", "port": port})
	}
	params := object{"host": h.Name, "groups": groups, "templates": templates, "macros": macros, "interfaces": interfaces, "tags": append([]Tag{}, h.Tags...)}
	switch {
	case h.ProxyID == "":
	case c.Is60():
		params["proxy_hostid"] = h.ProxyID
	default:
		params["monitored_by"], params["proxyid"] = 1, h.ProxyID
	}
	return c.Created("host.create", "hostids", params)
}

// DeleteHosts removes hosts with all that belongs to them.
func (c *Client) DeleteHosts(ids ...string) error { return c.Call("host.delete", ids, nil) }

// HostID returns the id of a host by its technical name.
func (c *Client) HostID(name string) (string, error) {
	return c.Find("host.get", "hostid", "the host "+name, object{"filter": object{"host": []string{name}}})
}

// SetMacro gives a host's user macro a value, whether the host has it already or not.
func (c *Client) SetMacro(hostID, macro, value string) error {
	var found []struct {
		ID string `json:"hostmacroid"`
	}
	if err := c.Call("usermacro.get", object{"hostids": hostID, "filter": object{"macro": macro}}, &found); err != nil {
		return err
	}
	if len(found) > 0 {
		return c.Call("usermacro.update", object{"hostmacroid": found[0].ID, "value": value}, nil)
	}
	return c.Call("usermacro.create", object{"hostid": hostID, "macro": macro, "value": value}, nil)
}

// EnsureHostGroup returns the id of a host group, which it makes where it is missing.
func (c *Client) EnsureHostGroup(name string) (string, error) {
	var found []struct {
		ID string `json:"groupid"`
	}
	if err := c.Call("hostgroup.get", object{"output": []string{"groupid"}, "filter": object{"name": []string{name}}}, &found); err != nil {
		return "", err
	}
	if len(found) > 0 {
		return found[0].ID, nil
	}
	return c.Created("hostgroup.create", "groupids", object{"name": name})
}

// CreateProxy makes an active proxy known and returns its id.
func (c *Client) CreateProxy(name string) (string, error) {
	if c.Is60() {
		return c.Created("proxy.create", "proxyids", object{"host": name, "status": 5})
	}
	return c.Created("proxy.create", "proxyids", object{"name": name, "operating_mode": 0})
}

// Proxy is what the server knows of a proxy.
type Proxy struct {
	ID string
	// LastAccess is when the server heard of it last, in Unix time, 0 where it never has.
	LastAccess int64
}

// Proxies returns all proxies.
func (c *Client) Proxies() ([]Proxy, error) {
	var found []struct {
		ID         string `json:"proxyid"`
		LastAccess number `json:"lastaccess"`
	}
	if err := c.Call("proxy.get", object{"output": []string{"proxyid", "lastaccess"}}, &found); err != nil {
		return nil, err
	}
	all := make([]Proxy, len(found))
	for i, one := range found {
		all[i] = Proxy{ID: one.ID, LastAccess: int64(one.LastAccess)}
	}
	return all, nil
}
