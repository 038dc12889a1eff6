package zabbixserver

import (
	"errors"
	"fmt"
	"slices"
	"time"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
	"zabbix-agent2-plugin-hosting/testenv/zabbixapi"
)

const (
	// markerHost has an item whose key tells which configuration the server works with.
	markerHost   = "Configuration marker"
	syncLimit    = 60 * time.Second
	syncInterval = 50 * time.Millisecond
)

// marker is the item of markerHost; its number is in its key.
type marker struct {
	itemID string
	number int
}

// Sync returns when the running server works with everything that has been made through the API so far: it reads its configuration each second, and until then
// drops values of new items and computes no new triggers.
func (s *Server) Sync() error {
	s.mu.Lock()
	defer s.mu.Unlock()
	if err := s.makeMarker(); err != nil {
		return err
	}
	// The server reads triggers after items, so only the second new key tells that it has read all of what was there before the first.
	for range 2 {
		s.marker.number++
		key := fmt.Sprintf("marker[%d]", s.marker.number)
		if err := s.api.Call("item.update", map[string]any{"itemid": s.marker.itemID, "key_": key}, nil); err != nil {
			return err
		}
		if err := s.awaitMarker(key); err != nil {
			return err
		}
	}
	return nil
}

func (s *Server) makeMarker() error {
	if s.marker.itemID != "" {
		return nil
	}
	host, err := s.api.CreateHost(zabbixapi.Host{Name: markerHost})
	if err != nil {
		return err
	}
	s.marker.itemID, err = s.api.CreateItem(host, map[string]any{
		"name": "Marker", "key_": "marker", "type": zabbixapi.TypeActive, "value_type": zabbixapi.ValueText, "delay": "1h",
	})
	return err
}

func (s *Server) awaitMarker(key string) error {
	client := trapper.New(s.Address())
	for deadline := time.Now().Add(syncLimit); ; time.Sleep(syncInterval) {
		// The server refuses the question while it does not know the host.
		items, err := client.ActiveItems(markerHost)
		if err == nil && slices.Contains(items, trapper.Item{Key: key, SendAs: key}) {
			return nil
		}
		if time.Now().After(deadline) {
			return errors.Join(fmt.Errorf("cannot wait for the server's configuration any longer than %s: it has %v instead of %s; look into its log", syncLimit, items, key), err)
		}
	}
}
