package valueagent

import (
	"time"

	"zabbix-agent2-plugin-hosting/testenv/trapper"
)

// activeInterval is how often active values are sent, whatever delay the server asks for.
const activeInterval = time.Second

// StartActive makes the agent send the values of a host's active items too, all of them each second, until Stop.
// A server that does not know the host yet is asked again.
func (a *Agent) StartActive(server, host string) {
	stop := make(chan struct{})
	a.mu.Lock()
	a.active = append(a.active, stop)
	a.mu.Unlock()
	client := trapper.New(server)
	a.serving.Go(func() {
		for {
			a.sendActive(client, host)
			select {
			case <-stop:
				return
			case <-time.After(activeInterval):
			}
		}
	})
}

// sendActive sends one value for each active item. What fails is tried again with the next one, as an agent does.
func (a *Agent) sendActive(client *trapper.Client, host string) {
	a.mu.Lock()
	vanished := a.listener == nil
	a.mu.Unlock()
	if vanished {
		return
	}
	items, err := client.ActiveItems(host)
	if err != nil || len(items) == 0 {
		return
	}
	values := make([]trapper.Value, len(items))
	for i, item := range items {
		v := a.value(item.Key)
		values[i] = trapper.Value{Host: host, Key: item.SendAs, Value: v.text, Unsupported: v.unsupported}
	}
	_, _ = client.SendAgent(values...)
}
