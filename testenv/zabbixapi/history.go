package zabbixapi

import (
	"encoding/json"
	"fmt"
	"time"
)

// Value is one value of an item's history.
type Value struct {
	At    time.Time
	Value string
}

// History returns an item's last values, newest first, limit at most.
func (c *Client) History(item Item, limit int) ([]Value, error) {
	var found []struct {
		Clock number `json:"clock"`
		Ns    number `json:"ns"`
		Value string `json:"value"`
	}
	params := object{"itemids": item.ID, "history": item.ValueType, "sortfield": "clock", "sortorder": "DESC", "limit": limit}
	if err := c.Call("history.get", params, &found); err != nil {
		return nil, err
	}
	all := make([]Value, len(found))
	for i, one := range found {
		all[i] = Value{At: time.Unix(int64(one.Clock), int64(one.Ns)), Value: one.Value}
	}
	return all, nil
}

// Pushed is a value for history.push.
type Pushed struct {
	Host  string `json:"host"`
	Key   string `json:"key"`
	Value string `json:"value"`
	Clock int64  `json:"clock"`
	Ns    int    `json:"ns"`
}

// Push sends values of trapper items through the API, which 7.0 can and 6.0 cannot. The error tells the first value that the server did not take.
func (c *Client) Push(values ...Pushed) error {
	var result struct {
		Data []struct {
			Error json.RawMessage `json:"error"`
		} `json:"data"`
	}
	if err := c.Call("history.push", values, &result); err != nil {
		return err
	}
	for i, one := range result.Data {
		if one.Error != nil {
			return fmt.Errorf("cannot push %s of %s: %s; mend its item", values[i].Key, values[i].Host, one.Error)
		}
	}
	return nil
}
