package helper

// Status is the answer to VerbStatus.
type Status struct {
	Schema    int     `json:"schema"`
	Version   string  `json:"version"`
	PID       int     `json:"pid"`
	StartedAt float64 `json:"started_at"`
	UptimeS   float64 `json:"uptime_s"`
	RSSBytes  uint64  `json:"rss_bytes"`
	// ConfigurationError is why nothing but this status is answered; empty where all is well.
	ConfigurationError string `json:"configuration_error"`
	Connections        int    `json:"connections"`
	Running            int    `json:"running"`
	// Requests were answered, Failures among them with an error. Shared were answered with the result of another caller.
	Requests uint64 `json:"requests"`
	Failures uint64 `json:"failures"`
	Shared   uint64 `json:"shared"`
	// Refused are connections of users that may not ask, Dropped are those that had to make room.
	Refused uint64 `json:"refused"`
	Dropped uint64 `json:"dropped"`
}
