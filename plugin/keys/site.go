package keys

import (
	"context"
	"regexp"
	"time"

	"zabbix-agent2-plugin-hosting/checks/site"
	"zabbix-agent2-plugin-hosting/plugin/config"
)

// Parameters of the keys of test sites.
var (
	siteName = valid{words: "the name of a configured site", check: func(text string) bool { return text != "" }}
	siteURL  = valid{words: "an absolute http or https URL", check: func(text string) bool {
		_, err := site.NewTarget(text)

		return err == nil
	}}
	hostPort     = valid{words: "host:port", check: func(text string) bool { return site.CheckConnect(text) == nil }}
	probeTimeout = valid{words: "a time from 100ms to 1m", check: func(text string) bool {
		timeout, ok := config.ParseDuration(text)

		return ok && timeout >= 100*time.Millisecond && timeout <= time.Minute
	}}
	pattern = valid{words: "a regular expression (RE2)", check: func(text string) bool {
		_, err := regexp.Compile(text)

		return err == nil
	}}
)

// answerTime is kept of the agent's deadline, so that a probe that runs into it is still reported with its phase.
const answerTime = 100 * time.Millisecond

func evaluateSiteDiscovery(_ context.Context, c *Checks, _ map[string]string) (any, error) {
	return c.sites.Discover(), nil
}

func evaluateSite(ctx context.Context, c *Checks, values map[string]string) (any, error) {
	report, err := c.sites.Report(values["site"])
	if err != nil {
		return nil, err
	}

	return c.withForeigners(ctx, report), nil
}

// ProbeReport is the value of hosting.site.probe.
type ProbeReport struct {
	Schema int `json:"schema"`
	*site.Result
}

func evaluateSiteProbe(ctx context.Context, _ *Checks, values map[string]string) (any, error) {
	target, err := site.NewTarget(values["url"])
	if err != nil {
		return nil, err
	}

	target.Connect = values["connect"]

	if timeout, ok := config.ParseDuration(values["timeout"]); ok {
		target.Timeout = timeout
	}

	if deadline, ok := ctx.Deadline(); ok {
		target.Timeout = min(target.Timeout, time.Until(deadline)-answerTime)
	}

	if text := values["pattern"]; text != "" {
		if target.BodyMatch, err = regexp.Compile(text); err != nil {
			return nil, err
		}
	}

	return ProbeReport{Schema: 1, Result: site.NewProber(target).Probe(ctx)}, nil
}
