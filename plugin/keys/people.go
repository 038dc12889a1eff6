package keys

import (
	"context"
	"encoding/json"
	"errors"
	"time"

	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/nginx"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
)

// What follows is for the command line, which waits for whole results.

// Nginx tests every instance and waits for the ends of the tests.
func (c *Checks) Nginx(ctx context.Context) ([]*nginx.Report, error) {
	value, err := c.nginxRows(ctx)

	rows, err := decoded[[]nginx.Discovered](value, err)
	if err != nil {
		return nil, err
	}

	reports := make([]*nginx.Report, 0, len(rows))

	for _, row := range rows {
		switch r, err := c.nginxTested(ctx, row.Instance); {
		case errors.Is(err, nginx.ErrUnknownInstance): // it has ended
		case err != nil:
			return nil, err
		default:
			reports = append(reports, r)
		}
	}

	return reports, ctx.Err()
}

// nginxTested is the report on an instance whose test does not run any more.
func (c *Checks) nginxTested(ctx context.Context, name string) (*nginx.Report, error) {
	for {
		value, err := c.nginxReport(ctx, name)

		r, err := decoded[*nginx.Report](value, err)
		if err != nil || !r.TestRunning {
			return r, err
		}
	}
}

// Listeners tells who listens on a port, 0 for all.
func (c *Checks) Listeners(ctx context.Context, port uint16) (*listener.Report, error) {
	value, err := c.listenerReport(ctx, port, true)

	return decoded[*listener.Report](value, err)
}

// ListenerEvents tells who began and ceased to listen since somebody first asked.
func (c *Checks) ListenerEvents(ctx context.Context) (*watch.Events, error) {
	value, err := c.listenerEvents(ctx)

	return decoded[*watch.Events](value, err)
}

// Session follows allocations for a while and tells who holds them; only root can.
func (c *Checks) Session(ctx context.Context, duration time.Duration) (*slabowner.Report, error) {
	return c.watches.Session(ctx, duration)
}

// decoded is a value that the helper gave as JSON, or that this process made.
func decoded[T any](value any, err error) (T, error) {
	var made T
	if err != nil {
		return made, err
	}

	if answer, ok := value.(string); ok {
		err = json.Unmarshal([]byte(answer), &made)

		return made, err
	}

	return value.(T), nil
}
