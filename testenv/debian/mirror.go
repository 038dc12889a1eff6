package debian

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
	"strings"
)

// mirrorVariable names the environment variable that gives the mirror where apt does not know one.
const mirrorVariable = "DEBIAN_MIRROR"

// Mirror returns the URI of the Debian archive that this machine's apt uses, or $DEBIAN_MIRROR where that is set.
// The archive is known by the Origin in its Release file; third parties' archives also have paths that end in /debian.
func Mirror() (string, error) {
	if uri := os.Getenv(mirrorVariable); uri != "" {
		return strings.TrimSuffix(uri, "/"), nil
	}
	own, err := indexTargets("Origin: Debian", "Label: Debian")
	if err != nil {
		return "", err
	}
	if uri := choose(own); uri != "" {
		return uri, nil
	}
	if len(own) > 0 {
		return own[0], nil
	}
	known, err := indexTargets()
	if err != nil {
		return "", err
	}
	if len(known) == 0 {
		// Images come without lists; what apt is going to fetch is all there is to go by.
		planned, err := indexTargets("--no-release-info")
		if err != nil {
			return "", err
		}
		if uri := choose(planned); uri != "" {
			return uri, nil
		}
	}
	return "", fmt.Errorf("cannot find a Debian mirror: this machine's apt uses none; set the environment variable %s to a mirror's URI (it ends in /debian)", mirrorVariable)
}

func choose(uris []string) string {
	for _, uri := range uris {
		if strings.HasSuffix(uri, "/debian") {
			return uri
		}
	}
	return ""
}

// indexTargets returns the repositories' URIs in the order of apt's sources, see apt-get(8).
func indexTargets(arguments ...string) ([]string, error) {
	arguments = append([]string{"indextargets", "--format", "$(REPO_URI)", "Created-By: Packages"}, arguments...)
	output, err := exec.Command("apt-get", arguments...).Output()
	if err != nil {
		if exit, ok := errors.AsType[*exec.ExitError](err); ok {
			return nil, fmt.Errorf("cannot ask apt for its sources: %w (%s); repair /etc/apt, or set %s", err, tail(exit.Stderr), mirrorVariable)
		}
		return nil, fmt.Errorf("cannot ask apt for its sources: %w; Debian's packages can be fetched only on Debian or Ubuntu", err)
	}
	var uris []string
	for uri := range strings.Lines(string(output)) {
		uris = append(uris, strings.TrimSuffix(strings.TrimSpace(uri), "/"))
	}
	return uris, nil
}
