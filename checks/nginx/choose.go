package nginx

import (
	"context"
	"crypto/sha256"
	"encoding/hex"
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

// ErrUnknownInstance is what Report fails with for a name that no instance has.
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

	m.followUnits(ctx, found)
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

// ID stands for an instance's name where no free text may pass: the first 16 hexadecimal digits of its SHA-256.
func ID(name string) string {
	sum := sha256.Sum256([]byte(name))

	return hex.EncodeToString(sum[:8])
}

// NameOf returns the name for an ID; an empty ID stands for the only instance. For one that no instance has errors.Is(err,
// ErrUnknownInstance).
func (m *Monitor) NameOf(ctx context.Context, id string) (string, error) {
	if id == "" {
		return "", nil
	}

	found, err := m.find(ctx)
	if err != nil {
		return "", err
	}

	var names []string

	for at := range found.Instances {
		if name := found.Instances[at].Name; ID(name) == id {
			return name, nil
		}

		names = append(names, found.Instances[at].Name)
	}

	return "", fmt.Errorf("%w; %s", ErrUnknownInstance, known(names))
}

func unknown(name string, names []string) error {
	if name == "" && len(names) > 1 {
		return fmt.Errorf("cannot choose an instance: %w: there are several; %s", ErrUnknownInstance, known(names))
	}

	return fmt.Errorf("cannot report on %q: %w; %s", name, ErrUnknownInstance, known(names))
}

func known(names []string) string {
	switch {
	case len(names) == 0:
		return "no nginx runs and none is configured"
	case len(names) > namesShown:
		return fmt.Sprintf("use one of %s and %d more", strings.Join(names[:namesShown], ", "), len(names)-namesShown)
	}

	return "use one of " + strings.Join(names, ", ")
}
