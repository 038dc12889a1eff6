package nginx

import (
	"zabbix-agent2-plugin-hosting/checks/listener"
	"zabbix-agent2-plugin-hosting/checks/unit"
)

// Report is the payload of hosting.nginx.config.
type Report struct {
	Schema   int    `json:"schema"`
	Instance string `json:"instance"`
	// Product is what the tested program calls itself, such as nginx/1.22.1; empty where that could not be found out.
	Product string `json:"product"`
	Binary  string `json:"binary"`
	// BinaryReplaced says that the running program's file is gone and that the test is made with the one that is now
	// at its path.
	BinaryReplaced bool   `json:"binary_replaced"`
	Config         string `json:"config"`
	Prefix         string `json:"prefix"`
	// Master is nil for an instance that does not run.
	Master *Master `json:"master,omitempty"`
	// UnitState is what systemd knows of the unit that the master is in, or was in last.
	UnitState *unit.Facts `json:"unit_state,omitempty"`

	State     State  `json:"state"`
	StateName string `json:"state_name"`
	// Sentence is empty for a valid configuration.
	Sentence string `json:"sentence"`
	// Errors and Warnings are the last ones, the last first.
	Errors          []Message `json:"errors"`
	Warnings        []Message `json:"warnings"`
	MessagesOmitted int       `json:"messages_omitted"`

	// Test is the last test; nil before the first has ended.
	Test *Test `json:"test,omitempty"`
	// TestRunning and TestRunningS tell of a test that has not ended yet.
	TestRunning  bool    `json:"test_running"`
	TestRunningS float64 `json:"test_running_s"`
	// Tests counts those since StartedAt, the Unix time of the plugin's start.
	StartedAt int64  `json:"started_at"`
	Tests     uint64 `json:"tests"`

	// ReloadPending says that what is on disk is not what the workers run with.
	ReloadPending      bool    `json:"reload_pending"`
	ReloadPendingS     float64 `json:"reload_pending_s"`
	ReloadPendingSince *int64  `json:"reload_pending_since,omitempty"`

	// Hazard is the worst of Hazards, 0 where there is none.
	Hazard             int      `json:"hazard"`
	HazardName         string   `json:"hazard_name"`
	HazardSeverity     int      `json:"hazard_severity"`
	HazardSeverityName string   `json:"hazard_severity_name"`
	Hazards            []Hazard `json:"hazards"`

	// SideEffects are those of the last test, SideEffectsTotal those of all since StartedAt. Both are 0 or the check is at fault.
	SideEffects      []SideEffect `json:"side_effects"`
	SideEffectsTotal uint64       `json:"side_effects_total"`

	// Foreigners are processes that receive clients of this instance and do not belong to it.
	Foreigners        []listener.Foreigner `json:"foreigners"`
	ForeignersOmitted int                  `json:"foreigners_omitted"`

	// Problems are sentences on what could not be found out.
	Problems []string `json:"problems"`
}

// Master is the running instance.
type Master struct {
	PID int `json:"pid"`
	// StartedAt is the master's, LoadedAt that of the oldest worker that takes connections: the last reload. Both are Unix times.
	StartedAt int64  `json:"started_at"`
	LoadedAt  int64  `json:"loaded_at"`
	Workers   int    `json:"workers"`
	User      string `json:"user"`
	Unit      string `json:"unit"`
}

// Message is something that nginx said.
type Message struct {
	Level string `json:"level"`
	Text  string `json:"text"`
	// File and Line are empty and 0 where the message names none.
	File string `json:"file"`
	Line int    `json:"line"`
}

// Test is one configuration test.
type Test struct {
	At            int64   `json:"at"`
	AgeS          float64 `json:"age_s"`
	DurationS     float64 `json:"duration_s"`
	CPUS          float64 `json:"cpu_s"`
	MaxRSSBytes   uint64  `json:"max_rss_bytes"`
	Technique     int     `json:"technique"`
	TechniqueName string  `json:"technique_name"`
	ExitCode      int     `json:"exit_code"`
	// Cause is why it was made: first, changed, revalidate.
	Cause string `json:"cause"`
	// ChangedFile is the first file that differed from the last test.
	ChangedFile string `json:"changed_file"`
	FilesRead   int    `json:"files_read"`
	// Listens are the addresses that the configuration listens on.
	Listens        []string `json:"listens"`
	ListensOmitted int      `json:"listens_omitted"`
	// WouldWrite counts the files that an ordinary test would have created, opened for writing or given to another user.
	WouldWrite int `json:"would_write"`
	// Output is what nginx printed, capped.
	Output string `json:"output"`
	// During is what the host's TCP counted while the test ran, whoever caused it.
	During During `json:"during"`
}

// During are increases of the host's counters (SNMP and LINUX MIB, /proc/net/snmp and /proc/net/netstat).
type During struct {
	OutResets       uint64 `json:"out_resets"`
	ListenDrops     uint64 `json:"listen_drops"`
	ListenOverflows uint64 `json:"listen_overflows"`
}

// Hazard is what would make an ordinary `nginx -t` dangerous on this host, or hides what it should find.
type Hazard struct {
	ID           int    `json:"id"`
	Name         string `json:"name"`
	Severity     int    `json:"severity"`
	SeverityName string `json:"severity_name"`
	Sentence     string `json:"sentence"`
	// Where is a file and line, such as /etc/cron.d/check:3; empty where the hazard is none of a file.
	Where string `json:"where"`
}

// SideEffect is what a test of ours left or did, which must be nothing.
type SideEffect struct {
	Name     string `json:"name"` // listener_appeared, file_created or owner_changed
	Sentence string `json:"sentence"`
}
