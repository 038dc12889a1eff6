package zabbixserver

import (
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
)

// Push sends values of trapper items: by history.push, or to 6.0 as zabbix_sender does. It fails where the server does not take all of them, as before a Sync.
func (s *Server) Push(values ...trapper.Value) error {
	if s.Version() == V60 {
		result, err := trapper.New(s.Address()).Send(values...)
		if err == nil && result.Processed != len(values) {
			err = fmt.Errorf("cannot push all values: the server took %d of %d; check hosts and keys, and call Sync before", result.Processed, len(values))
		}
		return err
	}
	pushed := make([]zabbixapi.Pushed, len(values))
	for i, value := range values {
		at := value.At
		if at.IsZero() {
			at = time.Now()
		}
		pushed[i] = zabbixapi.Pushed{Host: value.Host, Key: value.Key, Value: value.Value, Clock: at.Unix(), Ns: at.Nanosecond()}
	}
	return s.API().Push(pushed...)
}
