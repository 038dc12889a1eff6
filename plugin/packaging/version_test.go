package packaging

import (
	"os/exec"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVersionOf(t *testing.T) {
	const (
		working  = "# Changelog\n\n## 0.2.0 (unreleased)\n\n- [New] x\n\n## 0.1.0\n"
		released = "# Changelog\n\n## 0.1.0\n\n- [New] x\n"
	)

	for name, test := range map[string]struct{ describe, changelog, want string }{
		"a tag":                                    {"v0.1.0-0-g1a2b3c4", released, "0.1.0"},
		"a tag counts more than the changelog":     {"v0.1.0-0-g1a2b3c4", working, "0.1.0"},
		"a tag before the release":                 {"v0.2.0-rc1-0-g1a2b3c4", working, "0.2.0~rc1"},
		"on the way to the next release":           {"v0.1.0-5-g1a2b3c4", working, "0.2.0~git123.1a2b3c4"},
		"before the first tag":                     {"1a2b3c4", working, "0.2.0~git123.1a2b3c4"},
		"after a tag, with nothing new":            {"v0.1.0-5-g1a2b3c4", released, "0.1.0+git5.1a2b3c4"},
		"a tag and changes that are not committed": {"v0.1.0-0-g1a2b3c4-dirty", released, "0.1.0+git0.1a2b3c4.dirty"},
		"changes before the first tag":             {"1a2b3c4-dirty", working, "0.2.0~git123.1a2b3c4.dirty"},
	} {
		t.Run(name, func(t *testing.T) {
			version, err := versionOf(test.describe, "123", test.changelog)
			require.NoError(t, err)
			require.Equal(t, test.want, version)
		})
	}

	for name, test := range map[string]struct{ describe, changelog string }{
		"neither a tag nor a heading": {"1a2b3c4", released},
		"no changelog":                {"1a2b3c4", ""},
		"a tag that is no version":    {"v1-0-g1a2b3c4", working},
	} {
		t.Run(name, func(t *testing.T) {
			_, err := versionOf(test.describe, "123", test.changelog)
			require.EqualError(t, err, "cannot tell the version: git describes this as \""+test.describe+"\", and CHANGELOG.md does not begin with a "+
				"heading such as \"## 0.1.0 (unreleased)\"; add that heading, or a tag such as v0.1.0")
		})
	}
}

func TestDpkgAndRPMOrderVersionsAsPeopleDo(t *testing.T) {
	inOrder := []string{
		"0.1.0~git9.1a2b3c4", "0.1.0~git10.0a2b3c4", "0.1.0~git10.0a2b3c4.dirty", "0.1.0~rc1", "0.1.0", "0.1.0+git1.fa2b3c4", "0.1.0+git10.0a2b3c4",
		"0.1.1~git200.1a2b3c4", "0.1.1", "0.10.0",
	}

	for i := range len(inOrder) - 1 {
		less, more := inOrder[i], inOrder[i+1]
		require.NoError(t, exec.Command("dpkg", "--compare-versions", less, "lt", more).Run(), "%s < %s", less, more)
		require.Equal(t, "-1", strings.TrimSpace(rpm(t, "--eval", `%{lua:print(rpm.vercmp("`+less+`","`+more+`"))}`)), "%s < %s", less, more)
	}
}
