package debian

import (
	"archive/tar"
	"compress/gzip"
	"errors"
	"fmt"
	"io"
	"os"
	"path/filepath"
	"strings"
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/builddir"
)

func TestMirrorIsTheOneOfTheMachinesOwnSources(t *testing.T) {
	for name, test := range map[string]struct{ list, sources, want string }{
		"a one-line source":                       {list: "deb http://mirror.invalid/debian/ bookworm main", want: "http://mirror.invalid/debian"},
		"a deb822 source":                         {sources: "Types: deb\nURIs: http://mirror.invalid/debian\nSuites: trixie\nComponents: main\n", want: "http://mirror.invalid/debian"},
		"security's archive is passed over":       {list: "deb http://security.invalid/debian-security s main\ndeb http://mirror.invalid/debian s main", want: "http://mirror.invalid/debian"},
		"a source that is switched off is no one": {list: "# deb http://old.invalid/debian s main", sources: "Enabled: no\nTypes: deb\nURIs: http://mirror.invalid/debian\nSuites: s\nComponents: main\n"},
		"Ubuntu has none":                         {list: "deb http://mirror.invalid/ubuntu noble main"},
		"no source at all":                        {},
	} {
		t.Run(name, func(t *testing.T) {
			useSources(t, test.list, test.sources)
			mirror, err := Mirror()
			require.Equal(t, test.want, mirror)
			if test.want == "" {
				require.EqualError(t, err, "cannot find a Debian mirror: this machine's apt uses none; "+
					"set the environment variable DEBIAN_MIRROR to a mirror's URI (it ends in /debian)")
				return
			}
			require.NoError(t, err)
		})
	}
}

// A third party's archive may end in /debian too, as those of several vendors do; only Release files tell.
func TestMirrorTrustsReleaseFilesMoreThanPaths(t *testing.T) {
	dir := useSources(t, "deb http://vendor.invalid/debian bookworm main\ndeb http://mirror.invalid/d bookworm main", "")
	release(t, dir, "vendor.invalid_debian", "Vendor")
	_, err := Mirror()
	require.ErrorContains(t, err, "cannot find a Debian mirror")

	release(t, dir, "mirror.invalid_d", "Debian")
	mirror, err := Mirror()
	require.NoError(t, err)
	require.Equal(t, "http://mirror.invalid/d", mirror)
}

func TestTheEnvironmentGivesTheMirrorFirst(t *testing.T) {
	useSources(t, "deb http://mirror.invalid/debian bookworm main", "")
	t.Setenv("DEBIAN_MIRROR", "http://other.invalid/debian/")
	mirror, err := Mirror()
	require.NoError(t, err)
	require.Equal(t, "http://other.invalid/debian", mirror)
}

// useSources gives apt other sources than the machine's, and returns the directory of their lists.
func useSources(t *testing.T, list, sources string) string {
	t.Setenv("DEBIAN_MIRROR", "")
	dir := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(dir, "lists", "partial"), 0o755))
	require.NoError(t, os.Mkdir(filepath.Join(dir, "parts"), 0o755))
	files := map[string]string{
		"list":            list + "\n",
		"parts/x.sources": sources,
		"conf":            strings.ReplaceAll(`Dir::Etc::main "/dev/null"; Dir::Etc::parts "/dev/null"; Dir::Etc::sourcelist "DIR/list"; Dir::Etc::sourceparts "DIR/parts"; Dir::State::lists "DIR/lists";`, "DIR", dir),
	}
	for name, content := range files {
		require.NoError(t, os.WriteFile(filepath.Join(dir, name), []byte(content), 0o644))
	}
	t.Setenv("APT_CONFIG", filepath.Join(dir, "conf"))
	return filepath.Join(dir, "lists")
}

func release(t *testing.T, lists, site, origin string) {
	for _, arch := range []string{"amd64", "arm64", "all"} {
		packages := filepath.Join(lists, site+"_dists_bookworm_main_binary-"+arch+"_Packages")
		require.NoError(t, os.WriteFile(packages, nil, 0o644))
	}
	text := fmt.Sprintf("Origin: %s\nLabel: %s\nSuite: bookworm\nCodename: bookworm\nArchitectures: amd64 arm64\nComponents: main\nSHA256:\n", origin, origin)
	for _, arch := range []string{"amd64", "arm64"} {
		text += " " + strings.Repeat("0", 64) + " 0 main/binary-" + arch + "/Packages\n"
	}
	require.NoError(t, os.WriteFile(filepath.Join(lists, site+"_dists_bookworm_Release"), []byte(text), 0o644))
}

func TestAMirrorThatCannotBeReachedSaysWhatFailedAndWhatToDo(t *testing.T) {
	t.Setenv("DEBIAN_MIRROR", "http://127.0.0.1:1/debian")
	_, err := Open(t.TempDir()).Download("bookworm", "hello")
	require.ErrorContains(t, err, "cannot fetch Debian's list of bookworm: apt-get update: exit status 100 (")
	require.ErrorContains(t, err, "Could not connect")
	require.ErrorContains(t, err, "; check the network, or set DEBIAN_MIRROR to another mirror")
	require.Less(t, len(err.Error()), 900)
}

// The lists and the agents' packages are there once the tests of zabbixagent have run; elsewhere this fetches some 9 MB.
func TestPackagesAndSourcesComeFromTheArchive(t *testing.T) {
	dir, err := builddir.Path("apt")
	require.NoError(t, err)
	apt := Open(dir)

	debs, err := apt.Download("bookworm", "zabbix-agent2")
	require.NoError(t, err)
	require.Len(t, debs, 1)
	depends, err := Depends(debs[0])
	require.NoError(t, err)
	require.Contains(t, depends, "libc6")
	unpacked := t.TempDir()
	require.NoError(t, Unpack(debs[0], unpacked))
	require.FileExists(t, filepath.Join(unpacked, "usr/sbin/zabbix_agent2"))

	_, err = apt.SourceFile("trixie", "zabbix", "*.exe")
	require.ErrorContains(t, err, "cannot fetch the source of zabbix from Debian's trixie: 0 files match *.exe, 1 is expected, of: zabbix_")
	description, err := apt.SourceFile("trixie", "zabbix", "*.dsc")
	require.NoError(t, err)
	require.FileExists(t, description)

	_, err = apt.Download("bookworm", "no-such-package")
	require.ErrorContains(t, err, "cannot fetch no-such-package from Debian's bookworm: ")
	require.ErrorContains(t, err, "Unable to locate package no-such-package")
}

func TestAnEmptyMachineNeedsTheEssentialPackagesToo(t *testing.T) {
	dir, err := builddir.Path("apt")
	require.NoError(t, err)
	apt := Open(dir)

	debs, err := apt.Closure("bookworm", "procps")
	require.NoError(t, err)
	var names []string
	for _, deb := range debs {
		require.FileExists(t, deb)
		name, _, _ := strings.Cut(filepath.Base(deb), "_")
		names = append(names, name)
	}
	require.Subset(t, names, []string{"procps", "libproc2-0", "libc6", "bash", "dpkg"})
	require.NotContains(t, names, "psmisc", "which is only recommended")

	_, err = apt.Closure("bookworm", "no-such-package")
	require.ErrorContains(t, err, "cannot tell what no-such-package depend on in Debian's bookworm: ")
	require.ErrorContains(t, err, "Unable to locate package no-such-package")
}

func TestUnpackedFilesGoWhereALinkLeads(t *testing.T) {
	dir, err := builddir.Path("apt")
	require.NoError(t, err)
	debs, err := Open(dir).Download("bookworm", "zabbix-agent2")
	require.NoError(t, err)

	tree := t.TempDir()
	require.NoError(t, os.MkdirAll(filepath.Join(tree, "usr/lib"), 0o755))
	require.NoError(t, os.Symlink("usr/lib", filepath.Join(tree, "lib")))
	require.NoError(t, Unpack(debs[0], tree))
	require.FileExists(t, filepath.Join(tree, "usr/lib/systemd/system/zabbix-agent2.service"))

	some := t.TempDir()
	require.NoError(t, Unpack(debs[0], some, "*/zabbix-agent2.service", "./etc/*/zabbix_agent2.conf"))
	require.FileExists(t, filepath.Join(some, "lib/systemd/system/zabbix-agent2.service"))
	require.FileExists(t, filepath.Join(some, "etc/zabbix/zabbix_agent2.conf"))
	require.NoDirExists(t, filepath.Join(some, "usr"))
	require.ErrorContains(t, Unpack(debs[0], some, "*/no-such-file"), "no-such-file: Not found in archive")

	broken := filepath.Join(t.TempDir(), "broken.deb")
	require.NoError(t, os.WriteFile(broken, []byte("no archive"), 0o644))
	err = Unpack(broken, tree)
	require.ErrorContains(t, err, "cannot unpack "+broken+": ")
	require.ErrorContains(t, err, "; remove that file and try again")
}

func TestParseURIs(t *testing.T) {
	printed := "Reading package lists...\nNeed to get 36.3 MB of source archives.\n" +
		"'http://m.invalid/pool/z_7%2bd.dsc' z_7+d.dsc 4233 SHA256:09e5\n" +
		"'http://m.invalid/pool/evil' ../evil 1 SHA256:00\n"
	require.Equal(t, []remoteFile{{uri: "http://m.invalid/pool/z_7%2bd.dsc", name: "z_7+d.dsc", sha256: "09e5"}}, parseURIs([]byte(printed)))
}

func TestParseDepends(t *testing.T) {
	field := "libc6 (>= 2.34), libpcre2-8-0 (>= 10.32) | libpcre3, libssl3:amd64 (>= 3.0.0),\n adduser\n"
	require.Equal(t, []string{"libc6", "libpcre2-8-0", "libssl3", "adduser"}, parseDepends(field))
	require.Empty(t, parseDepends(""))
}

func TestTail(t *testing.T) {
	require.Equal(t, "b | c | d | e | f | g h", tail([]byte("a\nb\nc\nd\ne\nf\ng\th\n")))
	require.Len(t, tail([]byte(strings.Repeat("x", 5000))), 600+len("…"))
	require.Empty(t, tail(nil))
}

func TestEachFileReadsACompressedTarAndStopsAtTheFirstError(t *testing.T) {
	archive := filepath.Join(t.TempDir(), "a.tar.gz")
	file, err := os.Create(archive)
	require.NoError(t, err)
	zip := gzip.NewWriter(file)
	tarball := tar.NewWriter(zip)
	require.NoError(t, tarball.WriteHeader(&tar.Header{Name: "dir/", Typeflag: tar.TypeDir, Mode: 0o755}))
	for _, name := range []string{"dir/a", "dir/b"} {
		require.NoError(t, tarball.WriteHeader(&tar.Header{Name: name, Size: 1 << 20, Mode: 0o644}))
		_, err := tarball.Write(make([]byte, 1<<20))
		require.NoError(t, err)
	}
	require.NoError(t, errors.Join(tarball.Close(), zip.Close(), file.Close()))

	sizes := map[string]int{}
	require.NoError(t, EachFile(archive, func(name string, content io.Reader) error {
		data, err := io.ReadAll(content)
		sizes[name] = len(data)
		return err
	}))
	require.Equal(t, map[string]int{"dir/a": 1 << 20, "dir/b": 1 << 20}, sizes)

	enough := errors.New("enough")
	require.ErrorIs(t, EachFile(archive, func(string, io.Reader) error { return enough }), enough)
	require.ErrorContains(t, EachFile(filepath.Join(t.TempDir(), "none.tar"), nil), "cannot decompress")
}
