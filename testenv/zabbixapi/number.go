package zabbixapi

import (
	"encoding/json"
	"fmt"
	"strconv"
)

// number is a whole number, which the API writes as text in most places.
type number int64

// UnmarshalJSON reads 5 and "5".
func (n *number) UnmarshalJSON(data []byte) error {
	var text string
	if err := json.Unmarshal(data, &text); err != nil {
		text = string(data)
	}
	value, err := strconv.ParseInt(text, 10, 64)
	if err != nil {
		return fmt.Errorf("cannot read %s: it is no whole number", data)
	}
	*n = number(value)
	return nil
}
