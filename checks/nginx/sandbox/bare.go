package sandbox

import (
	"fmt"
	"strconv"
	"strings"
)

// BareConditions are what must be known of an nginx before it is tested without a sandbox.
type BareConditions struct {
	// Version is nginx's own, such as "1.22.1", of the binary that is used.
	Version string
	// UDP is set where the configuration has a listener that is not TCP.
	UDP bool
	// AddressesHeld is set where the running master holds every address of the configuration, so that the test's bind fails.
	AddressesHeld bool
	// UserUnchanged is set where the configuration has the user that the running nginx has, so that no directory changes its owner.
	UserUnchanged bool
}

// The first versions whose test disturbs no listener that is in use (nginx's CHANGES).
var (
	udpSafe    = version{1, 21, 1}
	tcpSafe    = version{1, 13, 4}
	stableSafe = version{1, 12, 2}
	stableEnd  = version{1, 13, 0}
)

// refusal is why an ordinary test is not safe; empty where it is.
func (b *BareConditions) refusal() string {
	if b == nil {
		return "nothing is known of its effects"
	}
	v, err := parseVersion(b.Version)
	if err != nil {
		return err.Error()
	}
	switch {
	case v.before(stableSafe), !v.before(stableEnd) && v.before(tcpSafe):
		return fmt.Sprintf("nginx %s takes clients' connections when it tests reuseport", b.Version)
	case b.UDP && v.before(udpSafe):
		return fmt.Sprintf("nginx %s takes clients' datagrams when it tests a UDP listener", b.Version)
	case !b.AddressesHeld:
		return "it would open ports that nobody listens on"
	case !b.UserUnchanged:
		return "it would change the owner of directories in use"
	}
	return ""
}

type version [3]int

func parseVersion(text string) (v version, err error) {
	fields := strings.Split(text, ".")
	if len(fields) != len(v) {
		return v, fmt.Errorf("the version %q is unknown", text)
	}
	for i, field := range fields {
		if v[i], err = strconv.Atoi(field); err != nil || v[i] < 0 {
			return v, fmt.Errorf("the version %q is unknown", text)
		}
	}
	return v, nil
}

func (v version) before(other version) bool {
	for i := range v {
		if v[i] != other[i] {
			return v[i] < other[i]
		}
	}
	return false
}
