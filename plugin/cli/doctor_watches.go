package cli

import (
	"context"
	"encoding/json"
	"fmt"
	"time"

	"zabbix-agent2-plugin-hosting/checks/kmemleak"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/plugin/keys"
)

// examinePayload evaluates a key as an item would, and has its value judged.
func examinePayload[T any](checks *keys.Checks, key, name string, judge func(*T) finding) []finding {
	value, err := checks.Evaluate(context.Background(), key, nil)
	if err != nil {
		return []finding{failing(name, err)}
	}

	payload := new(T)
	if err := json.Unmarshal([]byte(value), payload); err != nil {
		return []finding{{Name: name, Found: fmt.Sprintf("cannot understand %s: %v", key, err), Mend: mendVersion}}
	}

	return []finding{judge(payload).named(name)}
}

// listenerFinding tells how long a listener may live unseen.
func listenerFinding(e *watch.Events) finding {
	switch {
	case e.TCP.State == watch.StateOff:
		return finding{Found: e.TCP.Reason}
	case e.TCP.State == watch.StatePolling:
		return finding{Less: true, Found: fmt.Sprintf("sockets are looked at every %s, and what listens for less may be missed: %s", blind(e.TCP), e.TCP.Reason)}
	case !e.ForeignersKnown:
		return finding{Less: true, Found: "every listener is seen, but not all that are nginx's are known: " + e.ForeignersError}
	case e.UDP.State == watch.StatePolling:
		return finding{OK: true, Found: fmt.Sprintf("every TCP listener is seen; UDP sockets are looked at every %s (%s)", blind(e.UDP), e.UDP.Reason)}
	}

	return finding{OK: true, Found: "every listener is seen, even for a millisecond"}
}

func blind(c watch.Coverage) time.Duration {
	return time.Duration(c.BlindS * float64(time.Second)).Round(time.Second / 10)
}

// ownersFinding tells whether a session can be made.
func ownersFinding(r *slabowner.Report) finding {
	switch r.State {
	case slabowner.StateUnsupported:
		return finding{Less: true, Found: r.Sentence}
	case slabowner.StateFailed:
		return broken("", r.Sentence, mendHelper)
	case slabowner.StateNever:
		return finding{OK: true, Found: "they can be found; none were asked for yet"}
	}

	return finding{OK: true, Found: fmt.Sprintf("they can be found; sessions until now: %d", r.Sessions)}
}

func kmemleakFinding(r *kmemleak.Report) finding {
	if r.Reason != "" {
		return finding{Less: true, Found: r.Reason}
	}

	return finding{OK: true, Found: fmt.Sprintf("it lists %d objects that nothing points to", r.Objects)}
}
