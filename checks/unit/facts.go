// Package unit tells what systemd knows of a unit: whether it runs, what ended it last, and how often it was started again.
// It asks over D-Bus, which takes no privilege.
package unit

// Facts are properties of a unit (org.freedesktop.systemd1(5)). A nil or empty field is unknown: this systemd or this type of
// unit has it not, or systemd does not count it here.
type Facts struct {
	Unit string `json:"unit"`
	// LoadState is systemd's word, such as "loaded", "not-found" or "masked".
	LoadState       string      `json:"load_state"`
	ActiveState     ActiveState `json:"active_state"`
	ActiveStateName string      `json:"active_state_name"`
	// SubState is systemd's word, such as "running", "dead" or "auto-restart".
	SubState string `json:"sub_state"`
	// UnitFileState tells whether the unit starts at boot, such as "enabled" or "static".
	UnitFileState string `json:"unit_file_state,omitempty"`
	// Result is how the last run ended. systemd sets it back to success at the next start.
	Result     *Result `json:"result,omitempty"`
	ResultName string  `json:"result_name,omitempty"`
	// MainPID is 0 while there is no main process.
	MainPID uint32 `json:"main_pid"`
	// Restarts counts those that systemd made by itself since somebody started the unit.
	Restarts           *uint64 `json:"restarts,omitempty"`
	MemoryCurrentBytes *uint64 `json:"memory_current_bytes,omitempty"`
	// ActiveAt is when the unit became active last, ChangedAt when its state changed last. Both are Unix times.
	ActiveAt  *int64 `json:"active_at,omitempty"`
	ChangedAt *int64 `json:"changed_at,omitempty"`
	// InvocationID is another one after every start, whoever made it.
	InvocationID string `json:"invocation_id,omitempty"`
}

// StoppedByOOM tells whether memory ran out in the last run and systemd has not started another one.
func (f *Facts) StoppedByOOM() bool { return f.Result != nil && *f.Result == ResultOOMKill }

// Fallen tells whether the unit ended or failed to start without anybody wanting that, or is about to be started again.
func (f *Facts) Fallen() bool {
	return f.ActiveState == StateFailed || f.ActiveState == StateActivating
}
