package zabbixapi

import (
	"fmt"
	"strings"
	"time"
)

// pollInterval is how often a wait asks; a call takes 10 to 50 ms.
const pollInterval = 200 * time.Millisecond

// waitFor asks until done tells so. What is missing is in the error of a wait that takes longer than limit.
func waitFor(limit time.Duration, what string, done func() (ok bool, missing string, err error)) (time.Duration, error) {
	for started := time.Now(); ; time.Sleep(pollInterval) {
		ok, missing, err := done()
		if err != nil {
			return 0, err
		}
		took := time.Since(started)
		if ok {
			return took, nil
		}
		if took > limit {
			return 0, fmt.Errorf("cannot wait for %s any longer than %s: %s", what, limit, missing)
		}
	}
}

// WaitItems waits until a host has an item for each key and a stored value for each that stores any, newer than since. It returns the items by key and the time that it took.
func (c *Client) WaitItems(hostID string, limit time.Duration, since time.Time, keys ...string) (map[string]Item, time.Duration, error) {
	var byKey map[string]Item
	took, err := waitFor(limit, "values", func() (bool, string, error) {
		items, err := c.Items(hostID)
		if err != nil {
			return false, "", err
		}
		byKey = make(map[string]Item, len(items))
		for _, item := range items {
			byKey[item.Key] = item
		}
		var missing []string
		for _, key := range keys {
			item, found := byKey[key]
			switch {
			case !found:
				missing = append(missing, key+": the host has no such item")
			case item.Error != "":
				missing = append(missing, key+": "+item.Error)
			case item.Stored && (item.LastAt.IsZero() || item.LastAt.Before(since)):
				missing = append(missing, key+": no value")
			}
		}
		return len(missing) == 0, strings.Join(missing, "; "), nil
	})
	return byKey, took, err
}

// WaitProblem waits until a trigger of a host is in the state PROBLEM, and returns the problem and the time that it took.
func (c *Client) WaitProblem(hostID, trigger string, limit time.Duration) (Problem, time.Duration, error) {
	var problem Problem
	took, err := waitFor(limit, "the problem "+trigger, func() (bool, string, error) {
		state, own, all, err := c.problemOf(hostID, trigger)
		if own == nil {
			return false, fmt.Sprintf("it is OK (%s), and the host has the problems %q", state.Error, names(all)), err
		}
		problem = *own
		return true, "", nil
	})
	return problem, took, err
}

// WaitOK waits until a trigger of a host is in the state OK and its problem is over, and returns the time that it took.
func (c *Client) WaitOK(hostID, trigger string, limit time.Duration) (time.Duration, error) {
	return waitFor(limit, "the end of "+trigger, func() (bool, string, error) {
		state, own, _, err := c.problemOf(hostID, trigger)
		if own != nil {
			return false, fmt.Sprintf("%s (%s) goes on", own.Name, own.OpData), nil
		}
		return err == nil && !state.Problem, "the trigger is in the state PROBLEM", err
	})
}

// problemOf returns a trigger of a host with its problem, nil where there is none, and all problems of the host.
func (c *Client) problemOf(hostID, trigger string) (state Trigger, own *Problem, all []Problem, err error) {
	if state, err = c.Trigger(hostID, trigger); err != nil {
		return state, nil, nil, err
	}
	all, err = c.Problems(hostID)
	for i := range all {
		if all[i].TriggerID == state.ID {
			own = &all[i]
		}
	}
	return state, own, all, err
}

// WaitTrigger waits until a host has a trigger with a name, which a discovery rule may have to make first.
func (c *Client) WaitTrigger(hostID, name string, limit time.Duration) (Trigger, error) {
	var trigger Trigger
	_, err := waitFor(limit, "the trigger "+name, func() (bool, string, error) {
		var err error
		trigger, err = c.Trigger(hostID, name)
		if err != nil {
			return false, err.Error(), nil
		}
		return true, "", nil
	})
	return trigger, err
}

func names(problems []Problem) []string {
	all := make([]string, len(problems))
	for i, problem := range problems {
		all[i] = problem.Name
	}
	return all
}
