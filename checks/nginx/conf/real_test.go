package conf

import (
	"io/fs"
	"os"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// dumped are the files that nginx -T says it has read.
func dumped(output string) []string {
	var files []string

	for line := range strings.Lines(output) {
		if name, ok := strings.CutPrefix(line, "# configuration file "); ok {
			files = append(files, strings.TrimSuffix(name, ":\n"))
		}
	}

	return files
}

func TestTheFilesAreThoseThatNginxReads(t *testing.T) {
	t.Parallel()

	n := nginx.PrepareT(t, nginx.Options{Whole: "{main}\ninclude modules.*;\nevents {}\nhttp { {http}\n include sites/[a-c]*/*.conf;\n" +
		" include 'sites/d d/*.conf'; include sites/none*; include {dir}/sites/abs.conf;\n" +
		" map $uri $a { include sites/map.txt; \"~^/{a}\" '}'; }\n server { listen 127.0.0.1:{port}; if ($a ~ \"}\") { return 204; } include sites/../inner.conf; } }\n"})

	for name, text := range map[string]string{
		"modules.conf": "# nothing\n", "sites/a/1.conf": "", "sites/a/2.conf": "include sites/deep.conf;", "sites/b/.3.conf": "bad",
		"sites/b/4.conf": "", "sites/d d/5.conf": "", "sites/abs.conf": "", "sites/map.txt": "x y;", "inner.conf": "location / {}",
		"sites/deep.conf": "", "sites/e/6.conf": "bad",
	} {
		path := filepath.Join(n.Dir(), name)
		require.NoError(t, os.MkdirAll(filepath.Dir(path), 0o755))
		require.NoError(t, os.WriteFile(path, []byte(text), 0o644))
	}

	verdict, err := n.Test("", "-T")
	require.NoError(t, err)
	require.Zero(t, verdict.ExitCode, verdict.Output)

	r := Walk(Host(), n.ConfPath(), n.Dir())
	require.Empty(t, r.Problems)

	read := dumped(verdict.Output)
	require.Len(t, read, 10)

	for i := range read {
		read[i] = filepath.Clean(read[i])
	}

	for i := range r.Files {
		r.Files[i] = filepath.Clean(r.Files[i])
	}

	require.ElementsMatch(t, read, r.Files)
	require.Len(t, r.Listens, 1)
	require.Equal(t, n.Addr(), r.Listens[0].Address.String())
}

func TestAConfigurationOfManyHostsIsWalked(t *testing.T) {
	t.Parallel()

	dir := t.TempDir()
	for i := range 300 {
		text := "server { listen 80; server_name a" + strings.Repeat("x", i) + "; root /srv; }\n"
		require.NoError(t, os.WriteFile(filepath.Join(dir, strings.Repeat("y", i%200)+string(rune('a'+i/200))+".conf"), []byte(text), 0o644))
	}

	require.NoError(t, os.WriteFile(filepath.Join(dir, "nginx"), []byte("http { include *.conf; }"), 0o644))

	r := Walk(os.DirFS("/"), filepath.Join(dir, "nginx"), dir)
	require.Len(t, r.Listens, 1)
	require.Len(t, r.Files, 301)
}

// replaced is a file system in which a file becomes a pipe between the look at it and its opening.
type replaced struct {
	hostFiles
	path string
}

func (r replaced) Open(name string) (fs.File, error) {
	if err := os.Remove(r.path); err != nil {
		return nil, err
	}

	if err := unix.Mkfifo(r.path, 0o644); err != nil {
		return nil, err
	}

	return r.hostFiles.Open(name)
}

func TestNobodyIsMadeToWaitAtAPipe(t *testing.T) {
	t.Parallel()

	path := filepath.Join(t.TempDir(), "nginx.conf")
	require.NoError(t, os.WriteFile(path, []byte("events {}"), 0o644))

	read := make(chan *Result, 1)

	go func() { read <- Walk(replaced{path: path}, path, "/") }()

	select {
	case r := <-read:
		require.Equal(t, []string{"cannot read " + path + ": it is no regular file"}, r.Problems)
	case <-time.After(10 * time.Second):
		require.Fail(t, "it waits")
	}
}
