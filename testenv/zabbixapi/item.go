package zabbixapi

import (
	"fmt"
	"maps"
	"slices"
	"strings"
	"time"
)

// The types of items that tests ask for; item.get's "type".
const (
	TypeAgent      = 0
	TypeTrapper    = 2
	TypeActive     = 7
	TypeCalculated = 15
	TypeDependent  = 18
)

// The types of values; item.get's "value_type".
const (
	ValueFloat    = 0
	ValueChar     = 1
	ValueLog      = 2
	ValueUnsigned = 3
	ValueText     = 4
)

// Item is an item of a host.
type Item struct {
	ID        string
	Name      string
	Key       string
	Type      int
	ValueType int
	// MasterID is the master item's id, "0" or "" where there is none.
	MasterID string
	Delay    string
	// Stored tells whether values are kept in the history: a master item's often are not.
	Stored bool
	// Enabled is whether the server wants values, Discovered whether a discovery rule made the item.
	Enabled    bool
	Discovered bool
	// Error is why the item is not supported, or "".
	Error string
	// LastValue and LastAt are the last stored value and its time. LastAt is zero where there is none.
	LastValue string
	LastAt    time.Time
}

type rawItem struct {
	ID        string `json:"itemid"`
	Name      string `json:"name"`
	Key       string `json:"key_"`
	Type      number `json:"type"`
	ValueType number `json:"value_type"`
	MasterID  string `json:"master_itemid"`
	Delay     string `json:"delay"`
	History   string `json:"history"`
	Status    number `json:"status"`
	State     number `json:"state"`
	Flags     number `json:"flags"`
	Error     string `json:"error"`
	LastValue string `json:"lastvalue"`
	LastClock number `json:"lastclock"`
	LastNs    number `json:"lastns"`
}

// discovered is the flag of an object that a discovery rule has made; item.get's "flags".
const discovered = 4

func (r rawItem) item() Item {
	i := Item{
		ID: r.ID, Name: r.Name, Key: r.Key, Type: int(r.Type), ValueType: int(r.ValueType), MasterID: r.MasterID, Delay: r.Delay,
		Stored: r.History != "0", Enabled: r.Status == 0, Discovered: r.Flags == discovered, LastValue: r.LastValue,
	}
	if r.State != 0 {
		i.Error = r.Error
	}
	if r.LastClock != 0 {
		i.LastAt = time.Unix(int64(r.LastClock), int64(r.LastNs))
	}
	return i
}

// Items returns a host's items by their keys' order, discovered ones too.
func (c *Client) Items(hostID string) ([]Item, error) {
	var found []rawItem
	if err := c.Call("item.get", object{"hostids": hostID, "output": "extend"}, &found); err != nil {
		return nil, err
	}
	all := make([]Item, len(found))
	for i, raw := range found {
		all[i] = raw.item()
	}
	slices.SortFunc(all, func(a, b Item) int { return strings.Compare(a.Key, b.Key) })
	return all, nil
}

// Item returns a host's item by its key.
func (c *Client) Item(hostID, key string) (Item, error) {
	var found []rawItem
	if err := c.Call("item.get", object{"hostids": hostID, "output": "extend", "filter": object{"key_": key}}, &found); err != nil {
		return Item{}, err
	}
	if len(found) != 1 {
		return Item{}, fmt.Errorf("cannot find the item %s: the host has %d; check the key, and whether it was discovered", key, len(found))
	}
	return found[0].item(), nil
}

// CreateItem makes an item of a host that no template has, with the fields of item.create, and returns its id.
func (c *Client) CreateItem(hostID string, fields map[string]any) (string, error) {
	params := object{"hostid": hostID}
	maps.Copy(params, fields)
	if kind, _ := params["type"].(int); kind == TypeAgent {
		id, err := c.Find("hostinterface.get", "interfaceid", "the host's interface", object{"hostids": hostID})
		if err != nil {
			return "", err
		}
		params["interfaceid"] = id
	}
	return c.Created("item.create", "itemids", params)
}

// CheckNow has items polled at once, which takes the server up to 5 s.
func (c *Client) CheckNow(itemIDs ...string) error {
	tasks := make([]object, len(itemIDs))
	for i, id := range itemIDs {
		tasks[i] = object{"type": 6, "request": object{"itemid": id}}
	}
	return c.Call("task.create", tasks, nil)
}

// SpeedUp has all that a host is asked for asked each delay, such as "1s", instead of each minute or hour, and what its discovery rules will make too.
func (c *Client) SpeedUp(hostID, delay string) error {
	for _, kind := range [...]string{"discoveryrule", "itemprototype", "item"} {
		var found []rawItem
		// What was discovered cannot be changed but through its prototype.
		if err := c.Call(kind+".get", object{"hostids": hostID, "output": []string{"itemid", "type", "delay", "flags"}}, &found); err != nil {
			return err
		}
		updates := []object{}
		for _, raw := range found {
			if raw.Flags != discovered && raw.Delay != "" && raw.Delay != "0" {
				updates = append(updates, object{"itemid": raw.ID, "delay": delay})
			}
		}
		if len(updates) == 0 {
			continue
		}
		if err := c.Call(kind+".update", updates, nil); err != nil {
			return err
		}
	}
	return nil
}
