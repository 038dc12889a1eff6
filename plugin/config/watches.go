package config

import "time"

const (
	minSlabSession = 30 * time.Second
	maxSlabSession = 120 * time.Second
	minSlabEvery   = 10 * time.Minute
	maxSlabEvery   = 7 * 24 * time.Hour
	maxSlabGrowth  = 10_000
	wholeHost      = 100
)

// watchOptions are those of what looks at the host for longer than one request.
func watchOptions() []Option {
	return []Option{
		{
			Name:        "WatchListeners",
			Default:     "true",
			Allowed:     "true or false",
			Description: "Watch who listens even for a millisecond, once hosting.listener.events is asked for.",
			Helper:      "watch_listeners",
			set:         func(o *Options, value string) bool { return setBool(&o.WatchListeners, value) == nil },
		},
		{
			Name:        "WatchKills",
			Default:     "true",
			Allowed:     "true or false",
			Description: "Have the kernel tell of each OOM kill, once hosting.oom.get is asked for, as its log leaves out much when there are many.",
			Helper:      "watch_kills",
			set:         func(o *Options, value string) bool { return setBool(&o.WatchKills, value) == nil },
		},
		{
			Name:        "SlabSession",
			Default:     "120s",
			Allowed:     "a time from 30s to 120s",
			Description: "How long allocations are followed to name who fills the slab caches.",
			Helper:      "slab_session",
			set: func(o *Options, value string) bool {
				return setTime(&o.SlabSession, value, minSlabSession, maxSlabSession) == nil
			},
		},
		{
			Name:        "SlabSessionEvery",
			Default:     "1h",
			Allowed:     "a time from 10m to 7d",
			Description: "The shortest time between two such sessions that start because SUnreclaim grows fast.",
			Helper:      "slab_session_every",
			both:        true,
			set: func(o *Options, value string) bool {
				return setTime(&o.SlabSessionEvery, value, minSlabEvery, maxSlabEvery) == nil
			},
		},
		{
			Name:        "SlabSessionGrowth",
			Default:     "8",
			Allowed:     "a whole number of MiB from 1 to 10000",
			Description: "How much SUnreclaim must grow a minute, for 5 minutes, for a session to start by itself.",
			set: func(o *Options, value string) bool {
				return setNumber(&o.SlabSessionGrowthMiB, value, 1, maxSlabGrowth) == nil
			},
		},
		{
			Name:        "SlabSessionCPU",
			Default:     "20",
			Allowed:     "a whole number of percent from 1 to 100",
			Description: "How much of all processors a session may take before it is ended.",
			Helper:      "slab_session_cpu",
			set: func(o *Options, value string) bool {
				return setNumber(&o.SlabSessionCPUPct, value, 1, wholeHost) == nil
			},
		},
	}
}
