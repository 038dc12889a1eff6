package oom

import "time"

// schema is raised when a field of the payload changes its meaning.
const schema = 1

// Report is the payload of hosting.oom.get. A nil or empty field is unknown.
type Report struct {
	Schema int `json:"schema"`
	// Kills counts the OOM kills since boot; it does not depend on the kernel log.
	Kills  *uint64 `json:"kills,omitempty"`
	BootAt float64 `json:"boot_at"`
	// VictimsKnown is false where no source can be used; VictimsError then says why and what mends it.
	VictimsKnown bool   `json:"victims_known"`
	VictimsError string `json:"victims_error,omitempty"`
	// Sources are those that were tried, the best first. The journal is tried only where the others cannot be used.
	Sources    []SourceState `json:"sources"`
	LastVictim *Victim       `json:"last_victim,omitempty"`
	// Victims are newest first, at most 20: those that the log still held when it was read, and those that the kernel told of since.
	Victims []Victim `json:"victims"`
}

// Victim is a process that the OOM killer killed, by the kernel's own account.
type Victim struct {
	At float64 `json:"at"`
	// AgeS is how long ago it was killed when the report was made, by the kernel's clock, which nobody sets; not less than 0,
	// though the clock of the kernel log drifts.
	AgeS       float64    `json:"age_s"`
	Name       string     `json:"name"`
	PID        int        `json:"pid"`
	UID        *int       `json:"uid,omitempty"`
	Constraint Constraint `json:"constraint"`
	// Cgroup is the memory cgroup of the victim, OOMCgroup the one at its limit.
	Cgroup          string  `json:"cgroup,omitempty"`
	OOMCgroup       string  `json:"oom_cgroup,omitempty"`
	TotalVMBytes    *uint64 `json:"total_vm_bytes,omitempty"`
	RSSBytes        *uint64 `json:"rss_bytes,omitempty"`
	AnonRSSBytes    *uint64 `json:"anon_rss_bytes,omitempty"`
	FileRSSBytes    *uint64 `json:"file_rss_bytes,omitempty"`
	ShmemRSSBytes   *uint64 `json:"shmem_rss_bytes,omitempty"`
	PageTablesBytes *uint64 `json:"page_tables_bytes,omitempty"`
	OOMScoreAdj     *int    `json:"oom_score_adj,omitempty"`
	// Trigger is the process whose request for memory started the OOM killer.
	Trigger string `json:"trigger,omitempty"`
	// TriggerPID is known from the tracepoint only.
	TriggerPID int `json:"trigger_pid,omitempty"`

	// at is on CLOCK_MONOTONIC, from which the clock of the kernel log drifts.
	at time.Duration
}
