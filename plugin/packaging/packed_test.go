package packaging

import (
	"archive/tar"
	"bytes"
	"errors"
	"io"
	"os"
	"os/exec"
	"slices"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/program"
)

// packed is a file of a package.
type packed struct {
	mode, owner, link string
	config            bool
}

func debFiles(t *testing.T, deb string) map[string]packed {
	t.Helper()

	config := strings.Fields(run(t, "dpkg-deb", "--info", deb, "conffiles"))
	archive := tar.NewReader(strings.NewReader(run(t, "dpkg-deb", "--fsys-tarfile", deb)))
	files := map[string]packed{}

	for {
		header, err := archive.Next()
		if errors.Is(err, io.EOF) {
			return files
		}

		require.NoError(t, err)

		if header.Typeflag == tar.TypeDir {
			require.Equal(t, "drwxr-xr-x root root", header.FileInfo().Mode().String()+" "+header.Uname+" "+header.Gname, header.Name)

			continue
		}

		name := strings.TrimPrefix(header.Name, ".")
		mode := header.FileInfo().Mode().String()

		if header.Typeflag == tar.TypeSymlink {
			// dpkg ignores what a tar says of a link.
			mode = "lrwxrwxrwx"
		}

		files[name] = packed{mode: mode, owner: header.Uname + ":" + header.Gname, link: header.Linkname, config: slices.Contains(config, name)}
	}
}

func rpmFiles(t *testing.T, path string) map[string]packed {
	t.Helper()

	files := map[string]packed{}
	listed := rpm(t, "-qp", "--qf", `[%{FILENAMES}|%{FILEMODES:perms}|%{FILEUSERNAME}:%{FILEGROUPNAME}|%{FILELINKTOS}|%{FILEFLAGS:fflags}\n]`, path)

	for line := range strings.Lines(listed) {
		fields := strings.Split(strings.TrimSuffix(line, "\n"), "|")
		require.Len(t, fields, 5, line)

		mode := fields[1]
		if mode[0] == 'l' {
			mode = "lrwxrwxrwx"
		}

		// cn is config(noreplace): an upgrade keeps the administrator's.
		files[fields[0]] = packed{mode: mode, owner: fields[2], link: fields[3], config: fields[4] == "cn"}
	}

	return files
}

// rpm runs Debian 12's rpm, without its database.
func rpm(t *testing.T, arguments ...string) string {
	t.Helper()

	bundle, err := program.Programs("rpm", "rpm", "rpm-common")
	require.NoError(t, err)

	command := bundle.Command("usr/bin/rpm", append([]string{"--dbpath", t.TempDir()}, arguments...)...)
	command.Env = append(command.Env, "RPM_CONFIGDIR="+bundle.Path("usr/lib/rpm"))

	return output(t, command)
}

func run(t *testing.T, name string, arguments ...string) string {
	t.Helper()

	return output(t, exec.Command(name, arguments...))
}

func output(t *testing.T, command *exec.Cmd) string {
	t.Helper()

	var stderr bytes.Buffer

	command.Stderr = &stderr
	said, err := command.Output()
	require.NoError(t, err, "%s: %s", command, stderr.String())

	return string(said)
}

func read(t *testing.T, path string) string {
	t.Helper()

	content, err := os.ReadFile(path)
	require.NoError(t, err)

	return string(content)
}
