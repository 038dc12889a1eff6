//go:build e2e

package e2e

import (
	"slices"
	"testing"

	"zabbix-agent2-plugin-hosting/templates/api"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

// call is a call of the API.
type call struct {
	method string
	params any
}

// serversOf are the ids of the hosts that a customer reads items of.
func serversOf(t *testing.T, customer *api.Client) []string {
	t.Helper()
	ids := read1(t, customer, "item.get", "hostid", api.Object{"output": []string{"hostid"}})
	slices.Sort(ids)
	return slices.Compact(ids)
}

// readsOf are reads of a server that is not the customer's. They are allowed and find nothing.
func readsOf(other customersServer) map[string]call {
	return map[string]call{
		"another's items":       {"item.get", api.Object{"hostids": other.hostID}},
		"an item by its id":     {"item.get", api.Object{"itemids": other.itemID}},
		"items by host name":    {"item.get", api.Object{"host": other.name}},
		"another's history":     {"history.get", api.Object{"itemids": other.itemID, "history": 0}},
		"another host's values": {"history.get", api.Object{"hostids": other.hostID, "history": 0}},
		"another's trends":      {"trend.get", api.Object{"itemids": other.itemID}},
		"another's problems":    {"problem.get", api.Object{"hostids": other.hostID}},
		"templates":             {"item.get", api.Object{"templated": true}},
	}
}

// refused are calls that a customer may not make at all, not even for the own server.
func refused(version zabbixserver.Version, own, other customersServer) map[string]call {
	all := map[string]call{
		"hosts":                        {"host.get", api.Object{"output": []string{"host"}}},
		"a host's macros":              {"host.get", api.Object{"hostids": own.hostID, "selectMacros": "extend"}},
		"users":                        {"user.get", api.Object{}},
		"the own password":             {"user.update", api.Object{"userid": "1", "passwd": "x"}},
		"user groups":                  {"usergroup.get", api.Object{}},
		"roles":                        {"role.get", api.Object{}},
		"tokens":                       {"token.get", api.Object{}},
		"another token":                {"token.create", api.Object{"name": "x"}},
		"dashboards":                   {"dashboard.get", api.Object{}},
		"a dashboard of one's own":     {"dashboard.create", api.Object{"name": "x", "pages": []any{}}},
		"host groups":                  {"hostgroup.get", api.Object{}},
		"user macros":                  {"usermacro.get", api.Object{"hostids": own.hostID}},
		"triggers":                     {"trigger.get", api.Object{}},
		"events":                       {"event.get", api.Object{}},
		"an export of the own server":  {"configuration.export", api.Object{"format": "yaml", "options": api.Object{"hosts": []string{own.hostID}}}},
		"an export of another server":  {"configuration.export", api.Object{"format": "yaml", "options": api.Object{"hosts": []string{other.hostID}}}},
		"an import":                    {"configuration.import", api.Object{"format": "yaml", "rules": api.Object{}, "source": "zabbix_export: {}"}},
		"scripts":                      {"script.get", api.Object{}},
		"a script on the own server":   {"script.execute", api.Object{"scriptid": "1", "hostid": own.hostID}},
		"a change of the own server":   {"host.update", api.Object{"hostid": own.hostID, "status": 1}},
		"a change of another server":   {"host.update", api.Object{"hostid": other.hostID, "status": 1}},
		"an end of the own server":     {"host.delete", []string{own.hostID}},
		"another host":                 {"host.create", api.Object{"host": "x", "groups": []any{}}},
		"another item":                 {"item.create", api.Object{"hostid": own.hostID, "name": "x", "key_": "x", "type": 2, "value_type": 3}},
		"an end of the history":        {"history.clear", []string{own.itemID}},
		"a value at once":              {"task.create", []api.Object{{"type": 6, "request": api.Object{"itemid": own.itemID}}}},
		"a problem being acknowledged": {"event.acknowledge", api.Object{"eventids": "1", "action": 2}},
		"a maintenance":                {"maintenance.get", api.Object{}},
		"proxies":                      {"proxy.get", api.Object{}},
		"media types":                  {"mediatype.get", api.Object{}},
		"settings":                     {"settings.get", api.Object{}},
		"the audit log":                {"auditlog.get", api.Object{}},
		"services":                     {"service.get", api.Object{}},
	}
	if version != zabbixserver.V60 {
		all["a value of one's own"] = call{"history.push", []api.Object{{"itemid": own.itemID, "value": "100"}}}
	}
	return all
}
