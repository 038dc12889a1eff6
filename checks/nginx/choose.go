package nginx

import (
	"context"
	"errors"
	"fmt"
	"strings"
	"time"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
)

const (
	// foundFor is how long a search for instances serves: Zabbix asks for several in one second.
	foundFor = time.Second
	// namesShown bounds the names in an error.
	namesShown = 20
)

// ErrUnknownInstance is what Report and NameOf fail with for a name or an ID that no instance has.
var ErrUnknownInstance = errors.New("unknown instance")

func (m *Monitor) find(ctx context.Context) (*instance.Found, error) {
	m.mu.Lock()
	defer m.mu.Unlock()

	if m.found != nil && time.Since(m.foundAt) < foundFor {
		return m.found, nil
	}

	found, err := m.finder.Find(ctx)
	if err != nil {
		return nil, err
	}

	m.found, m.foundAt = found, time.Now()

	return found, nil
}

// choose finds the instance of a name; where there is but one, no name is needed.
func (m *Monitor) choose(ctx context.Context, name string) (*instance.Instance, error) {
	found, err := m.find(ctx)
	if err != nil {
		return nil, err
	}

	if name == "" && len(found.Instances) == 1 {
		return &found.Instances[0], nil
	}

	var names []string

	for at := range found.Instances {
		if found.Instances[at].Name == name {
			return &found.Instances[at], nil
		}

		names = append(names, found.Instances[at].Name)
	}

	return nil, unknown(name, names)
}

// NameOf is the name of the instance with an instance.ID. For one that there is not errors.Is(err, ErrUnknownInstance).
func (m *Monitor) NameOf(ctx context.Context, id string) (string, error) {
	found, err := m.find(ctx)
	if err != nil {
		return "", err
	}

	names := make([]string, len(found.Instances))

	for at := range found.Instances {
		names[at] = found.Instances[at].Name
		if instance.ID(names[at]) == id {
			return names[at], nil
		}
	}

	return "", unknown(id, names)
}

func unknown(name string, names []string) error {
	known := "no nginx runs and none is configured"
	if len(names) > namesShown {
		known = fmt.Sprintf("use one of %s and %d more", strings.Join(names[:namesShown], ", "), len(names)-namesShown)
	} else if len(names) > 0 {
		known = "use one of " + strings.Join(names, ", ")
	}

	if name == "" && len(names) > 1 {
		return fmt.Errorf("cannot choose an instance: %w: there are several; %s", ErrUnknownInstance, known)
	}

	return fmt.Errorf("cannot report on %q: %w; %s", name, ErrUnknownInstance, known)
}
