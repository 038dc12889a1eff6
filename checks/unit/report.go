package unit

// Report tells how units fare that matter when memory runs out.
type Report struct {
	// AgentUnit is nil where no agent asks, or where it is in no unit.
	AgentUnit *Fate `json:"agent_unit,omitempty"`
	// Units are those of nginx and those that the OOM killer stopped, sorted by name. The agent's is not among them. Units and
	// UnitsOOMKilled are nil where systemd did not tell.
	Units        []Fate `json:"units,omitzero"`
	UnitsOmitted int    `json:"units_omitted"`
	// UnitsOOMKilled counts those of Units, and the agent's, that the OOM killer stopped and that were not started again.
	UnitsOOMKilled *int `json:"units_oom_killed,omitempty"`
	// UnitsError is why systemd did not tell; empty while it does.
	UnitsError string `json:"units_error"`
}

// Fate is a unit with what the OOM killer did to it.
type Fate struct {
	Facts

	// OOMKills counts the victims in the unit that the kernel log still names; nil where it cannot be read.
	OOMKills *int `json:"oom_kills,omitempty"`
	// LastOOMAt is the Unix time of the last of them.
	LastOOMAt *float64 `json:"last_oom_at,omitempty"`
}
