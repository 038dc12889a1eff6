package helper

// State is how the plugin stands with the root helper. Numbers are stable: templates map them to names.
type State int

// The states, as hosting.plugin.get has them.
const (
	NotNeeded       State = 0 // the plugin itself is root
	OK              State = 1
	Absent          State = 2 // there is no socket: the helper is not installed
	Refused         State = 3 // this user may not ask it
	NotAnswering    State = 4 // it hangs, dies or answers garbage
	VersionMismatch State = 5 // it speaks another version of the interface
)

// States returns the value map of State.
func States() map[int]string {
	return map[int]string{
		int(NotNeeded):       "not_needed",
		int(OK):              "ok",
		int(Absent):          "absent",
		int(Refused):         "refused",
		int(NotAnswering):    "not_answering",
		int(VersionMismatch): "version_mismatch",
	}
}

func (s State) String() string { return States()[int(s)] }
