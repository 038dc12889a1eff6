package zabbixapi

import (
	"fmt"
	"slices"
	"strings"
	"time"
)

// Problem is a problem that is going on.
type Problem struct {
	EventID   string
	TriggerID string
	// Name is the event's name, and OpData its operational data, both with their macros' values.
	Name   string
	OpData string
	// Severity is 0 for not classified to 5 for disaster.
	Severity int
	Tags     []Tag
	At       time.Time
}

// Problems returns the problems of hosts, the newest first.
func (c *Client) Problems(hostIDs ...string) ([]Problem, error) {
	var found []struct {
		EventID   string `json:"eventid"`
		TriggerID string `json:"objectid"`
		Name      string `json:"name"`
		OpData    string `json:"opdata"`
		Severity  number `json:"severity"`
		Clock     number `json:"clock"`
		Ns        number `json:"ns"`
		Tags      []Tag  `json:"tags"`
	}
	params := object{"hostids": hostIDs, "output": "extend", "selectTags": "extend", "sortfield": []string{"eventid"}, "sortorder": "DESC"}
	if err := c.Call("problem.get", params, &found); err != nil {
		return nil, err
	}
	all := make([]Problem, len(found))
	for i, one := range found {
		slices.SortFunc(one.Tags, func(a, b Tag) int { return strings.Compare(a.Tag+"\x00"+a.Value, b.Tag+"\x00"+b.Value) })
		all[i] = Problem{
			EventID: one.EventID, TriggerID: one.TriggerID, Name: one.Name, OpData: one.OpData, Severity: int(one.Severity),
			Tags: one.Tags, At: time.Unix(int64(one.Clock), int64(one.Ns)),
		}
	}
	return all, nil
}

// Trigger is a trigger of a host.
type Trigger struct {
	ID string
	// Name has the values of discovery macros, but not of others.
	Name string
	// Expression is written with the host's name and keys.
	Expression string
	Severity   int
	Enabled    bool
	// Problem is whether it is in the state PROBLEM.
	Problem bool
	// Error is why it cannot be computed at present, or "".
	Error string
	// Changed is when its state changed last, zero where it never has.
	Changed time.Time
}

// Triggers returns a host's triggers in their names' order, discovered ones too.
func (c *Client) Triggers(hostID string) ([]Trigger, error) {
	var found []struct {
		ID          string `json:"triggerid"`
		Description string `json:"description"`
		Expression  string `json:"expression"`
		Priority    number `json:"priority"`
		Status      number `json:"status"`
		Value       number `json:"value"`
		State       number `json:"state"`
		Error       string `json:"error"`
		LastChange  number `json:"lastchange"`
	}
	if err := c.Call("trigger.get", object{"hostids": hostID, "output": "extend", "expandExpression": true}, &found); err != nil {
		return nil, err
	}
	all := make([]Trigger, len(found))
	for i, one := range found {
		all[i] = Trigger{
			ID: one.ID, Name: one.Description, Expression: one.Expression, Severity: int(one.Priority),
			Enabled: one.Status == 0, Problem: one.Value == 1,
		}
		if one.State != 0 {
			all[i].Error = one.Error
		}
		if one.LastChange != 0 {
			all[i].Changed = time.Unix(int64(one.LastChange), 0)
		}
	}
	slices.SortFunc(all, func(a, b Trigger) int { return strings.Compare(a.Name, b.Name) })
	return all, nil
}

// Trigger returns the only trigger of a host with a name.
func (c *Client) Trigger(hostID, name string) (Trigger, error) {
	all, err := c.Triggers(hostID)
	if err != nil {
		return Trigger{}, err
	}
	var found []Trigger
	names := make([]string, len(all))
	for i, trigger := range all {
		names[i] = trigger.Name
		if trigger.Name == name {
			found = append(found, trigger)
		}
	}
	if len(found) != 1 {
		return Trigger{}, fmt.Errorf("cannot find the trigger %q: the host has %d; it is one of %q", name, len(found), names)
	}
	return found[0], nil
}
