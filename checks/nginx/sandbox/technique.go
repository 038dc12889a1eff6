package sandbox

import (
	"strings"

	"zabbix-agent2-plugin-hosting/checks/enum"
)

// Technique is how a test is kept from changing the host.
type Technique int

// The techniques. The numbers are stable.
const (
	// TechniqueNone is that no test is made.
	TechniqueNone Technique = 0
	// TechniqueNotify hands the test's system calls over to this process by seccomp (seccomp_unotify(2)).
	TechniqueNotify Technique = 1
	// TechniqueTrace hands them over by ptrace(2): the same answers, slower, on kernels and in containers without the former.
	TechniqueTrace Technique = 2
	// TechniqueBare is an ordinary test, where BareConditions say that it would change nothing.
	TechniqueBare Technique = 3
)

var techniqueNames = enum.Of[Technique]("technique", "none", "notify", "trace", "bare")

// String is the name in payloads, such as "notify".
func (t Technique) String() string { return techniqueNames.Name(t) }

// AllTechniques returns every technique's name by its number.
func AllTechniques() map[int]string { return techniqueNames.All() }

// Availability is whether a technique works on this host.
type Availability struct {
	Technique Technique
	Works     bool
	// Why is what is in the way, empty where it works.
	Why string
}

// UnsafeError is that no technique works here that would leave the host as it is, so that no test was made.
type UnsafeError struct {
	Techniques []Availability
	// Bare is why an ordinary test is not made either.
	Bare string
}

// Error names everything that is in the way.
func (e *UnsafeError) Error() string {
	reasons := make([]string, 0, len(e.Techniques)+1)
	for _, technique := range e.Techniques {
		reasons = append(reasons, technique.Technique.String()+": "+technique.Why)
	}
	reasons = append(reasons, "bare: "+e.Bare)
	return "cannot test the configuration without changing the host: " + strings.Join(reasons, "; ") +
		"; allow seccomp user notification (Linux ≥ 5.9) or ptrace of own children"
}
