package main

import (
	"archive/tar"
	"bytes"
	"context"
	"errors"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/debian"
)

const (
	pin  = "v1.2.2-0.20251205121608-d9643740a558"
	sums = `golang.org/x/sys v0.49.0 h1:XbzkgYJHdqh/8m2Uu0W/dQv8nktxx4BFHp1M0gROTXA=
golang.org/x/sys v0.49.0/go.mod h1:hNLxWAXmnKAxqDtdwIYC4bM9oQPEecfsnNMuSxOs3og=
golang.zabbix.com/sdk ` + pin + ` h1:gxUBya3bguJMmrRa+4eU+b4mngCgw2S/pj0C2IMoBPM=
golang.zabbix.com/sdk ` + pin + `/go.mod h1:ugXIGbO7PRPVducHITbVWZnPM7bsvjljbWufPPk5ZFA=
`
	module = `module example.invalid/m

go 1.26.0

require (
	golang.org/x/sys v0.49.0
	golang.zabbix.com/sdk ` + pin + `
)
`
	vendored = "# golang.org/x/sys v0.33.0\n## explicit; go 1.23.0\n# golang.zabbix.com/sdk " + pin + "\n## explicit; go 1.24.10\ngolang.zabbix.com/sdk/conf\n"
)

// repository makes a module that uses the SDK, which no proxy serves.
func repository(t *testing.T) string {
	t.Setenv("GOPROXY", "off")
	t.Setenv("GOFLAGS", "")
	t.Setenv("GOMODCACHE", t.TempDir())
	root := t.TempDir()
	write(t, filepath.Join(root, "go.mod"), module)
	write(t, filepath.Join(root, "go.sum"), sums)
	write(t, filepath.Join(root, "use.go"), "package m\n\nimport _ \"golang.zabbix.com/sdk/conf\"\n")
	require.NoError(t, os.Mkdir(filepath.Join(root, "build"), 0o755))
	return root
}

// withSDK unpacks a small SDK as fetchSDK does.
func withSDK(t *testing.T, root string) {
	require.NoError(t, builddir.Once(filepath.Join(root, "build", "sdk"), pin, func(empty string) error {
		write(t, filepath.Join(empty, "go.mod"), "module golang.zabbix.com/sdk\n\ngo 1.24.10\n")
		require.NoError(t, os.Mkdir(filepath.Join(empty, "conf"), 0o755))
		write(t, filepath.Join(empty, "conf", "conf.go"), "package conf\n")
		return nil
	}))
}

func write(t *testing.T, path, content string) {
	require.NoError(t, os.WriteFile(path, []byte(content), 0o644))
}

func read(t *testing.T, path string) string {
	content, err := os.ReadFile(path)
	require.NoError(t, err)
	return string(content)
}

func TestSDKThatIsThereNeedsNoNetworkAndGetsItsWorkspace(t *testing.T) {
	root := repository(t)
	withSDK(t, root)
	var out bytes.Buffer
	for range 2 {
		require.NoError(t, fetchSDK(root, debian.Open(t.TempDir()), &out))
		require.Equal(t, "go 1.26.0\n\nuse .\n\nreplace golang.zabbix.com/sdk => ./build/sdk\n", read(t, filepath.Join(root, "go.work")))
	}
	require.Empty(t, out.String())
}

func TestSDKThatNobodyServesSaysBothReasons(t *testing.T) {
	root := repository(t)
	t.Setenv("DEBIAN_MIRROR", "http://127.0.0.1:1/debian")
	var out bytes.Buffer
	err := fetchSDK(root, debian.Open(t.TempDir()), &out)
	require.ErrorContains(t, err, "cannot fetch Debian's list of trixie")
	require.Contains(t, out.String(), "The module proxy does not serve the SDK")
	require.Contains(t, out.String(), "GOPROXY=off")
	require.NoDirExists(t, filepath.Join(root, "build", "sdk"))
	require.NoFileExists(t, filepath.Join(root, "go.work"))
}

// After `make clean` a stale workspace would fail every go command.
func TestAWorkspaceOfOursGoesWhereTheProxyServesTheSDK(t *testing.T) {
	root := t.TempDir()
	mod := goMod{Go: "1.26.0"}
	require.NoError(t, dropWork(root, mod))
	require.NoError(t, writeWork(root, mod))
	require.NoError(t, dropWork(root, mod))
	require.NoFileExists(t, filepath.Join(root, "go.work"))

	write(t, filepath.Join(root, "go.work"), "go 1.26.0\n\nuse .\n")
	require.NoError(t, dropWork(root, mod))
	require.FileExists(t, filepath.Join(root, "go.work"))
	require.ErrorContains(t, writeWork(root, mod), "add the line: replace golang.zabbix.com/sdk => ./build/sdk")
}

func tarball(t *testing.T, files map[string]string) string {
	var buffer bytes.Buffer
	archive := tar.NewWriter(&buffer)
	for name, content := range files {
		require.NoError(t, archive.WriteHeader(&tar.Header{Name: name, Size: int64(len(content)), Mode: 0o644}))
		_, err := io.WriteString(archive, content)
		require.NoError(t, err)
	}
	require.NoError(t, archive.Close())
	path := filepath.Join(t.TempDir(), "vendor.tar")
	write(t, path, buffer.String())
	return path
}

func TestUnpackSDK(t *testing.T) {
	root := repository(t)
	mod, err := readGoMod(root)
	require.NoError(t, err)
	for name, test := range map[string]struct {
		files     map[string]string
		out, fail string
	}{
		"the pinned revision gets a go.mod": {
			files: map[string]string{"vendor/modules.txt": vendored, "vendor/golang.zabbix.com/sdk/conf/conf.go": "package conf\n", "vendor/other/x.go": ""},
		},
		"another revision is used with a warning that names both": {
			files: map[string]string{"./vendor/modules.txt": strings.ReplaceAll(vendored, pin, "v1.3.0"), "./vendor/golang.zabbix.com/sdk/conf/conf.go": "package conf\n"},
			out:   "warning: go.mod pins golang.zabbix.com/sdk " + pin + ", Debian's trixie has v1.3.0, which is used\n",
		},
		"a tree without the SDK is refused": {files: map[string]string{"vendor/modules.txt": vendored}, fail: "cannot find golang.zabbix.com/sdk in "},
		"a name that leads out is no part of the SDK": {
			files: map[string]string{"vendor/modules.txt": vendored, "vendor/golang.zabbix.com/sdk//../../../../evil": ""}, fail: "cannot find golang.zabbix.com/sdk in ",
		},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			dir := t.TempDir()
			err := unpackSDK(tarball(t, test.files), dir, mod, &out)
			require.Equal(t, test.out, out.String())
			if test.fail != "" {
				require.ErrorContains(t, err, test.fail)
				return
			}
			require.NoError(t, err)
			require.Equal(t, "package conf\n", read(t, filepath.Join(dir, "conf", "conf.go")))
			require.Equal(t, "module golang.zabbix.com/sdk\n\ngo 1.24.10\n\nrequire golang.org/x/sys v0.49.0\n", read(t, filepath.Join(dir, "go.mod")))
			require.NoDirExists(t, filepath.Join(dir, "other"))
		})
	}
}

func TestExtractStaysInItsDirectory(t *testing.T) {
	dir := t.TempDir()
	require.Error(t, extract(dir, "../evil", strings.NewReader("")))
	require.NoFileExists(t, filepath.Join(dir, "..", "evil"))
}

func TestTidyDropsWhatNobodyUsesAndKeepsTheSDKsChecksums(t *testing.T) {
	root := repository(t)
	withSDK(t, root)
	var out bytes.Buffer
	require.NoError(t, tidy(root, nil, &out))
	require.Equal(t, "module example.invalid/m\n\ngo 1.26.0\n\nrequire golang.zabbix.com/sdk "+pin+"\n", read(t, filepath.Join(root, "go.mod")))
	require.Equal(t, strings.Join(strings.SplitAfter(sums, "\n")[2:], ""), read(t, filepath.Join(root, "go.sum")))
	require.Equal(t, "go.mod and go.sum are tidy\n", out.String())
}

func TestTidyThatFailsLeavesBothFilesAsTheyWere(t *testing.T) {
	for name, prepare := range map[string]func(t *testing.T, root string) []string{
		"a module that nobody serves": func(*testing.T, string) []string { return []string{"example.invalid/none@v1.0.0"} },
		"a pin that nobody imports": func(t *testing.T, root string) []string {
			write(t, filepath.Join(root, "use.go"), "package m\n")
			return nil
		},
		"a package that is not there": func(t *testing.T, root string) []string {
			write(t, filepath.Join(root, "use.go"), "package m\nimport _ \"golang.zabbix.com/sdk/none\"\n")
			return nil
		},
	} {
		t.Run(name, func(t *testing.T) {
			root := repository(t)
			withSDK(t, root)
			modules := prepare(t, root)
			require.ErrorContains(t, tidy(root, modules, io.Discard), "go.mod and go.sum are as they were")
			require.Equal(t, module, read(t, filepath.Join(root, "go.mod")))
			require.Equal(t, sums, read(t, filepath.Join(root, "go.sum")))
			left, err := filepath.Glob(filepath.Join(root, "build", "tidy*"))
			require.NoError(t, err)
			require.Empty(t, left)
		})
	}
}

func TestTidyWithoutTheSDKsChecksumsIsRefused(t *testing.T) {
	root := repository(t)
	write(t, filepath.Join(root, "go.sum"), strings.Join(strings.SplitAfter(sums, "\n")[:3], ""))
	require.EqualError(t, tidy(root, nil, io.Discard), "cannot keep the SDK's checksums: go.sum has 1 lines of golang.zabbix.com/sdk "+pin+", 2 are expected; restore go.sum")
}

func TestAGoCommandThatFailsTellsItsLastLines(t *testing.T) {
	root := repository(t)
	_, err := goCommand(context.Background(), root, "mod", "download", "example.invalid/none@v1.0.0")
	require.ErrorContains(t, err, "go mod download example.invalid/none@v1.0.0: exit status 1 (")
}

func TestArguments(t *testing.T) {
	for name, arguments := range map[string][]string{
		"none":         {},
		"unknown word": {"everything"},
		"unknown flag": {"-x", "sdk"},
	} {
		t.Run(name, func(t *testing.T) {
			var out bytes.Buffer
			require.ErrorIs(t, run(arguments, &out), errUsage)
			require.Contains(t, out.String(), "usage: fetch")
		})
	}
	require.NoError(t, run([]string{"-h"}, io.Discard))
}

func TestAModuleThatGoModDoesNotRequire(t *testing.T) {
	_, err := goMod{}.version(sdkModule)
	require.EqualError(t, err, "cannot tell the version of golang.zabbix.com/sdk: go.mod does not require it; restore that line of go.mod")
	_, err = readGoMod(t.TempDir())
	require.Error(t, err)
	require.False(t, errors.Is(err, os.ErrPermission))
}
