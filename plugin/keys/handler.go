package keys

import (
	"context"
	"time"

	"golang.zabbix.com/sdk/plugin"

	"zabbix-agent2-plugin-hosting/plugin/agent"
	"zabbix-agent2-plugin-hosting/plugin/config"
)

const sampleInterval = time.Minute

// Handler evaluates the keys in a worker process.
type Handler struct {
	host    agent.Host
	version string
	checks  *Checks
	stop    chan struct{}
}

var _ agent.Handler = (*Handler)(nil)

// Plugin returns what the agent has to know of the plugin.
func Plugin(version string) agent.Plugin {
	return agent.Plugin{
		Name:    config.Section,
		Metrics: Metrics(),
		Validate: func(options []byte) error {
			_, err := config.Parse(options)

			return err
		},
		New: func(host agent.Host) agent.Handler { return NewHandler(host, version) },
	}
}

// NewHandler returns a handler with default options; Configure replaces them.
func NewHandler(host agent.Host, version string) *Handler {
	return &Handler{
		host:    host,
		version: version,
		checks:  NewChecks(config.Defaults(), host, version),
		stop:    make(chan struct{}),
	}
}

// Configure implements agent.Handler.
func (h *Handler) Configure(_ plugin.GlobalOptions, options []byte) error {
	parsed, err := config.Parse(options)
	if err != nil {
		return err
	}

	h.checks = NewChecks(parsed, h.host, h.version)

	return nil
}

// Start implements agent.Handler: it begins the background samples.
func (h *Handler) Start() {
	h.checks.Start()

	go h.sample(h.checks)
}

// Stop implements agent.Handler.
func (h *Handler) Stop() {
	close(h.stop)
	h.checks.Stop()
}

// Export implements agent.Handler.
func (h *Handler) Export(ctx context.Context, key string, parameters []string) (string, error) {
	return h.checks.Evaluate(ctx, key, parameters)
}

// sample keeps the growth history going when no item asks for it.
func (h *Handler) sample(checks *Checks) {
	ticker := time.NewTicker(sampleInterval)
	defer ticker.Stop()

	ctx, cancel := context.WithCancel(context.Background())
	defer cancel()

	for {
		checks.SampleSlab()
		checks.WatchGrowth(ctx)

		select {
		case <-ticker.C:
		case <-h.stop:
			return
		}
	}
}
