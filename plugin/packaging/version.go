package packaging

import (
	"fmt"
	"regexp"
)

var (
	describedTag  = regexp.MustCompile(`^v([0-9]+\.[0-9]+\.[0-9]+)(?:-([0-9A-Za-z.]+))?-([0-9]+)-g([0-9a-f]+)(-dirty)?$`)
	describedHash = regexp.MustCompile(`^([0-9a-f]+)(-dirty)?$`)
	unreleased    = regexp.MustCompile(`(?m)\A(?:.*\n)*?## ([0-9]+\.[0-9]+\.[0-9]+)( \(unreleased\))?$`)
)

// versionOf makes a version that dpkg and rpm order as people do of `git describe --long`, the number of commits and the changelog, whose
// newest heading says what is being worked on:
//
//	0.1.0                  the tag v0.1.0
//	0.2.0~rc1              the tag v0.2.0-rc1, which comes before 0.2.0
//	0.2.0~git123.1a2b3c4   on the way to 0.2.0 (unreleased), which it comes before, as more commits come after fewer
//	0.1.0+git5.1a2b3c4     5 commits after v0.1.0, where the changelog has nothing unreleased
//
// A working tree with changes has .dirty at the end.
func versionOf(describe, commits, changelog string) (string, error) {
	next := unreleased.FindStringSubmatch(changelog)
	working := next != nil && next[2] != ""

	if found := describedTag.FindStringSubmatch(describe); found != nil {
		version, early, distance, hash, dirty := found[1], found[2], found[3], found[4], found[5]
		if early != "" {
			version += "~" + early
		}

		switch {
		case distance == "0" && dirty == "":
			return version, nil
		case !working:
			return version + "+git" + distance + "." + hash + dotted(dirty), nil
		}

		return next[1] + "~git" + commits + "." + hash + dotted(dirty), nil
	}

	found := describedHash.FindStringSubmatch(describe)
	if found == nil || !working {
		return "", fmt.Errorf("cannot tell the version: git describes this as %q, and CHANGELOG.md does not begin with a heading such as "+
			"\"## 0.1.0 (unreleased)\"; add that heading, or a tag such as v0.1.0", describe)
	}

	return next[1] + "~git" + commits + "." + found[1] + dotted(found[2]), nil
}

func dotted(dirty string) string {
	if dirty == "" {
		return ""
	}

	return ".dirty"
}
