package packaging

import (
	"context"
	"crypto/sha256"
	"debug/elf"
	"encoding/hex"
	"path/filepath"
	"runtime"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/debian"
)

const docTo = "/usr/share/doc/zabbix-agent2-plugin-hosting/"

// shipped is what every package has.
func shipped(t *testing.T) map[string]packed {
	t.Helper()

	executable := packed{mode: "-rwxr-xr-x", owner: "root:root"}
	file := packed{mode: "-rw-r--r--", owner: "root:root"}
	config := packed{mode: "-rw-r--r--", owner: "root:root", config: true}

	all := map[string]packed{
		"/" + installedTo:                     executable,
		"/usr/bin/" + pluginName:              {mode: "lrwxrwxrwx", owner: "root:root", link: "/" + installedTo},
		"/usr/sbin/" + helperName:             executable,
		"/" + restartAgent:                    executable,
		"/" + confTo:                          config,
		"/etc/zabbix/" + helperName + ".toml": config,
		"/usr/lib/systemd/system/zabbix-hosting-helper.socket":         file,
		"/usr/lib/systemd/system/zabbix-hosting-helper.service":        file,
		"/usr/lib/systemd/system/zabbix-agent2.service.d/hosting.conf": file,
		docTo + "README.md":           file,
		docTo + "CHANGELOG.md":        file,
		docTo + "copyright":           file,
		docTo + "templates/README.md": file,
	}

	templates, err := filepath.Glob("../../templates/[67].0/*.yaml")
	require.NoError(t, err)
	require.NotEmpty(t, templates)

	for _, path := range templates {
		all[docTo+strings.TrimPrefix(path, "../../")] = file
	}

	return all
}

func TestADebHasItsFilesAndNoOthers(t *testing.T) {
	for _, arch := range []string{"amd64", "arm64"} {
		deb := only(t, "_"+arch+".deb")
		require.Equal(t, shipped(t), debFiles(t, deb))

		for field, want := range map[string]string{"Package": pluginName, "Architecture": arch, "Depends": "zabbix-agent2", "Version": versionNow(t)} {
			require.Equal(t, want, strings.TrimSpace(run(t, "dpkg-deb", "--field", deb, field)), field)
		}

		for script, source := range map[string]string{"preinst": "preinstall", "postinst": "postinstall", "prerm": "preremove", "postrm": "postremove"} {
			require.Equal(t, read(t, "scripts/"+source+".sh"), run(t, "dpkg-deb", "--info", deb, script))
		}
	}
}

func TestAnRPMHasItsFilesAndNoOthers(t *testing.T) {
	for _, arch := range []string{"x86_64", "aarch64"} {
		path := only(t, "."+arch+".rpm")
		require.Equal(t, shipped(t), rpmFiles(t, path))
		require.Equal(t, pluginName+" "+versionNow(t)+" 1 "+arch+" zabbix-agent2", rpm(t, "-qp", "--qf", "%{NAME} %{VERSION} %{RELEASE} %{ARCH} [%{REQUIRENAME}]", path))

		for tag, source := range map[string]string{"PREIN": "preinstall", "POSTIN": "postinstall", "PREUN": "preremove", "POSTUN": "postremove"} {
			require.Equal(t, read(t, "scripts/"+source+".sh"), rpm(t, "-qp", "--qf", "%{"+tag+"}", path))
			require.Equal(t, "/bin/sh", rpm(t, "-qp", "--qf", "%{"+tag+"PROG}", path))
		}
	}
}

func TestTheFilesAreThoseOfTheRepositoryInBothKindsOfPackages(t *testing.T) {
	for deb, rpmArch := range map[string]string{"amd64": "x86_64", "arm64": "aarch64"} {
		dir := t.TempDir()
		require.NoError(t, debian.Unpack(only(t, "_"+deb+".deb"), dir))

		digests := strings.Fields(rpm(t, "-qp", "--qf", `[%{FILENAMES}=%{FILEDIGESTS}\n]`, only(t, "."+rpmArch+".rpm")))
		for name, file := range shipped(t) {
			if file.link == "" {
				sum := sha256.Sum256([]byte(read(t, filepath.Join(dir, name))))
				require.Contains(t, digests, name+"="+hex.EncodeToString(sum[:]))
			}
		}

		for name, source := range map[string]string{
			confTo: "hosting.conf", restartAgent: "scripts/restart-agent.sh",
			"usr/lib/systemd/system/zabbix-hosting-helper.socket":         "systemd/zabbix-hosting-helper.socket",
			"usr/lib/systemd/system/zabbix-hosting-helper.service":        "systemd/zabbix-hosting-helper.service",
			"usr/lib/systemd/system/zabbix-agent2.service.d/hosting.conf": "systemd/zabbix-agent2.service.conf",
			docTo + "copyright": "../../LICENSE", docTo + "README.md": "../../README.md", docTo + "templates/README.md": "../../templates/README.md",
		} {
			require.Equal(t, read(t, source), read(t, filepath.Join(dir, name)), name)
		}
	}
}

func TestTheProgramsAreStaticAndForTheirProcessor(t *testing.T) {
	for arch, machine := range map[string]elf.Machine{"amd64": elf.EM_X86_64, "arm64": elf.EM_AARCH64} {
		dir := t.TempDir()
		require.NoError(t, debian.Unpack(only(t, "_"+arch+".deb"), dir))

		for _, name := range []string{installedTo, "usr/sbin/" + helperName} {
			file, err := elf.Open(filepath.Join(dir, name))
			require.NoError(t, err)
			require.Equal(t, machine, file.Machine, name)
			require.Nil(t, file.Section(".interp"), name)
			require.NoError(t, file.Close())
		}
	}
}

func TestTheProgramsTellThePackagesVersionAndTheHelperItsConfiguration(t *testing.T) {
	dir := t.TempDir()
	require.NoError(t, debian.Unpack(only(t, "_"+runtime.GOARCH+".deb"), dir))

	helper := filepath.Join(dir, "usr/sbin", helperName)
	require.Contains(t, run(t, filepath.Join(dir, installedTo), "--version"), versionNow(t))
	require.Contains(t, run(t, helper, "--version"), versionNow(t))

	config := read(t, filepath.Join(dir, "etc/zabbix", helperName+".toml"))
	require.NotEmpty(t, config)
	require.Equal(t, run(t, helper, "--print-config"), config)
}

func TestTheSameCommitGivesTheSamePackages(t *testing.T) {
	again, err := Build(context.Background(), t.TempDir(), Options{Arches: []string{runtime.GOARCH}})
	require.NoError(t, err)
	require.Len(t, again, 2)

	for _, path := range again {
		require.True(t, read(t, only(t, filepath.Base(path))) == read(t, path), "%s is another one", filepath.Base(path))
	}
}

func TestABuildThatFailsTellsWhatTheToolSaid(t *testing.T) {
	_, err := Build(context.Background(), t.TempDir(), Options{Version: "1.0.0", Arches: []string{"pdp11"}})
	require.EqualError(t, err, "cannot build zabbix-agent2-plugin-hosting for pdp11: go build: exit status 2 (go: unsupported GOOS/GOARCH pair linux/pdp11); mend what it says")

	_, err = Build(context.Background(), t.TempDir(), Options{Version: "1.0.0", Arches: []string{runtime.GOARCH}, Formats: []string{"floppy"}})
	require.ErrorContains(t, err, "cannot make the floppy for "+runtime.GOARCH+": go tool: exit status 1 (")
}

// versionNow is what git and the changelog tell of the working tree.
func versionNow(t *testing.T) string {
	t.Helper()

	b, err := newBuilder(context.Background(), Options{})
	require.NoError(t, err)

	return b.Version
}
