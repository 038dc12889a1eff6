package debian

import (
	"fmt"
	"os"
	"path/filepath"
	"strings"
	"time"
)

// A list older than this may name files that the archive has replaced.
const listsAge = 24 * time.Hour

// aptConf keeps apt away from everything of the system's: its sources, pins, lists, installed packages and hooks
// (docker-clean, for one, empties /var/cache/apt after each update).
const aptConf = `#clear APT::Update::Pre-Invoke;
#clear APT::Update::Post-Invoke;
#clear APT::Update::Post-Invoke-Success;
APT::Default-Release "";
APT::Sandbox::User "root";
APT::Update::Error-Mode "any";
Acquire::Languages "none";
Acquire::PDiffs "false";
Acquire::Retries "2";
Dir::Cache "DIR/cache";
Dir::Cache::pkgcache "packages.bin";
Dir::Cache::srcpkgcache "sources.bin";
Dir::Etc::preferences "/dev/null";
Dir::Etc::preferencesparts "/dev/null";
Dir::Etc::sourcelist "/dev/null";
Dir::Etc::sourceparts "DIR/sources";
Dir::Etc::trusted "/dev/null";
Dir::Etc::trustedparts "DIR/trusted";
Dir::State "DIR";
Dir::State::lists "DIR/lists";
Dir::State::status "DIR/status";
`

// index is one list of one suite: of binary packages ("deb") or of source packages ("deb-src").
type index struct{ suite, kind string }

func (i index) target() string {
	if i.kind == "deb-src" {
		return "Sources"
	}
	return "Packages"
}

func (a *Apt) listsDir(i index) string { return filepath.Join(a.dir, i.suite+"-"+i.kind) }

func (a *Apt) conf(i index) string { return filepath.Join(a.listsDir(i), "apt.conf") }

// update fetches the list unless it is of today and from the same mirror, and tells whether it did.
func (a *Apt) update(i index, force bool) (fetched bool, err error) {
	mirror, err := Mirror()
	if err != nil {
		return false, err
	}
	dir := a.listsDir(i)
	stamp := filepath.Join(dir, "updated")
	if last, err := os.ReadFile(stamp); !force && err == nil && string(last) == mirror {
		if info, err := os.Stat(stamp); err == nil && time.Since(info.ModTime()) < listsAge {
			return false, nil
		}
	}
	keys, err := a.keyring()
	if err != nil {
		return false, err
	}
	sources := fmt.Sprintf("Types: %s\nURIs: %s\nSuites: %s\nComponents: main\nTargets: %s\n", i.kind, mirror, i.suite, i.target())
	files := map[string]string{
		"apt.conf":                     strings.ReplaceAll(aptConf, "DIR", dir),
		"sources/debian.sources":       sources,
		"trusted/debian.gpg":           string(keys),
		"status":                       "",
		"lists/partial/.keep":          "",
		"cache/archives/partial/.keep": "",
	}
	for name, content := range files {
		if err := writeFile(filepath.Join(dir, name), content); err != nil {
			return false, err
		}
	}
	if _, err := a.apt(i, dir, "apt-get", "update"); err != nil {
		return false, fmt.Errorf("cannot fetch Debian's list of %s: %w; check the network, or set %s to another mirror", i.suite, err, mirrorVariable)
	}
	return true, writeFile(stamp, mirror)
}

func writeFile(path, content string) error {
	if err := os.MkdirAll(filepath.Dir(path), 0o755); err != nil {
		return fmt.Errorf("cannot make apt's private directory: %w; run this as the owner of the repository", err)
	}
	if err := os.WriteFile(path, []byte(content), 0o644); err != nil {
		return fmt.Errorf("cannot write apt's private files: %w; run this as the owner of the repository", err)
	}
	return nil
}
