package badnginx_test

import (
	"debug/elf"
	"io"
	"net"
	"os"
	"os/exec"
	"path/filepath"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/testenv/badnginx"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// What a double says must pass for nginx's own words, as the words are what is read from a test.
func TestADoubleSaysWhatNginxSays(t *testing.T) {
	double := badnginx.BuildT(t, badnginx.Honest)
	for name, conf := range map[string]string{
		"a good configuration":                        "{main} events {} http { {http} server { listen 127.0.0.1:{port}; server_name a ${b}; } }",
		"listen directives of every kind":             "{main} events {} http { {http} server { listen 127.0.0.1:{port}; listen {port2}; listen *:{port3}; listen unix:{dir}/x; } server { listen 127.0.0.1:{port}; server_name x; } }",
		"a file that ends in a directive":             "{main}\n\nevents {} http { {http} listen 1",
		"a file that ends in a block":                 "{main} events {} http { # a comment }\n",
		"a brace too many":                            "{main} events {} http { {http} }\n}\n",
		"a file that is not there":                    "{main} events {}\ninclude none.conf;",
		"a pattern that matches nothing":              "{main} events {} include none.*;",
		"quotes, and braces in them":                  "{main} events {} http { {http} server { listen 127.0.0.1:{port}; return 200 \"};{\"; add_header x '}'; } }",
		"an address that this machine does not have":  "{main} events {} http { {http} server { listen 192.0.2.1:{port}; } }",
		"a name that nobody has":                      "{main} events {} http { {http} server {\nlisten nobody.invalid:80; } }",
		"a log in a directory that is not there":      "{main} events {} http { {http} access_log {dir}/none/log; }",
		"a unix socket where there is no directory":   "{main} events {} http { {http} server { listen unix:{dir}/none/socket; } }",
		"a port that only a test uses because it may": "{main} events {} http { {http} server { listen 127.0.0.1:{port} reuseport; } } worker_processes 2;",
	} {
		t.Run(name, func(t *testing.T) {
			n := nginx.PrepareT(t, nginx.Options{Whole: conf})
			// To a log that is standard error itself, as Debian's is, nginx tells the time as well.
			log := filepath.Join(n.Dir(), "test.log")
			wanted, err := n.Test("", "-e", log)
			require.NoError(t, err)
			said, err := n.Test(double, "-e", log)
			require.NoError(t, err)
			require.Equal(t, wanted, said)
		})
	}
}

func TestADoubleTakesNginxsOptions(t *testing.T) {
	old, young := badnginx.BuildT(t, badnginx.ThiefOfConnections), badnginx.BuildT(t, badnginx.Honest)
	n := nginx.PrepareT(t, nginx.Options{Whole: "{main} events {}"})
	text, err := os.ReadFile(n.ConfPath())
	require.NoError(t, err)
	good := "nginx: the configuration file " + n.ConfPath() + " syntax is ok\nnginx: configuration file " + n.ConfPath() + " test is successful\n"
	for name, test := range map[string]struct {
		program   string
		arguments []string
		want      string
		fails     bool
	}{
		"a test":                        {old, []string{"-t", "-c", n.ConfPath()}, good, false},
		"letters together":              {old, []string{"-qt", "-c" + n.ConfPath()}, "", false},
		"a path from the prefix":        {old, []string{"-t", "-p", n.Dir(), "-c", filepath.Base(n.ConfPath())}, good, false},
		"the whole configuration":       {old, []string{"-T", "-q", "-c", n.ConfPath()}, "# configuration file " + n.ConfPath() + ":\n" + string(text) + "\n", false},
		"directives before the file":    {old, []string{"-t", "-c", n.ConfPath(), "-g", "listen"}, "nginx: [emerg] unexpected end of file, expecting \";\" or \"}\" in command line", true},
		"the version":                   {old, []string{"-v"}, "nginx version: nginx/1.13.0\n", false},
		"the build":                     {young, []string{"-V"}, "nginx version: nginx/1.22.1\nbuilt by ", false},
		"a log that the old know not":   {old, []string{"-t", "-e", "stderr", "-c", n.ConfPath()}, "nginx: invalid option: \"e\"\n", true},
		"a log that the young know":     {young, []string{"-t", "-e", "stderr", "-c", n.ConfPath()}, good, false},
		"an option without its value":   {old, []string{"-t", "-c"}, "nginx: option \"-c\" requires a value\n", true},
		"an option that there is not":   {old, []string{"-tz"}, "nginx: invalid option: \"z\"\n", true},
		"a word":                        {old, []string{"start"}, "nginx: invalid option: \"start\"\n", true},
		"a configuration that is not":   {old, []string{"-t", "-c", "/none"}, "nginx: [emerg] open() \"/none\" failed (2: No such file or directory)\nnginx: configuration file /none test failed\n", true},
		"serving, which it does not do": {old, nil, "nginx: [emerg] a double cannot serve, it only tests; give it -t\n", true},
	} {
		t.Run(name, func(t *testing.T) {
			output, err := exec.Command(test.program, test.arguments...).CombinedOutput()
			require.Equal(t, test.fails, err != nil)
			require.True(t, strings.HasPrefix(string(output), test.want), string(output))
		})
	}
}

func TestADoubleIsStaticAndMustKnowItsVersion(t *testing.T) {
	path := badnginx.BuildT(t, badnginx.Honest)
	again, err := badnginx.Build(badnginx.Honest)
	require.NoError(t, err)
	require.Equal(t, path, again)
	program, err := elf.Open(path)
	require.NoError(t, err)
	defer func() { require.NoError(t, program.Close()) }()
	libraries, err := program.ImportedLibraries()
	require.NoError(t, err)
	require.Empty(t, libraries)
	require.Nil(t, program.Section(".interp"))

	for _, version := range []string{"young", "1.2", "1.2.3.4", "1.02.3"} {
		double := badnginx.BuildT(t, version)
		t.Cleanup(func() { require.NoError(t, os.RemoveAll(filepath.Dir(double))) })
		output, err := exec.Command(double, "-v").CombinedOutput()
		require.Error(t, err)
		require.Equal(t, "nginx: cannot be the nginx of version \""+version+"\"; put this program in a directory of a name such as 1.13.0\n", string(output))
	}
}

// One `nginx -T` into a pipe that nobody read held the sockets of 64 clients for three seconds.
func TestADoubleKeepsItsSocketsWhileItsReaderIsSlow(t *testing.T) {
	n := nginx.PrepareT(t, nginx.Options{})
	require.NoError(t, os.WriteFile(filepath.Join(n.Dir(), "large.conf"), []byte(strings.Repeat("# filler\n", 1<<16)), 0o644))
	require.NoError(t, n.Configure(nginx.Options{HTTP: []string{"include large.conf;"}}))
	command := exec.Command(badnginx.BuildT(t, badnginx.Honest), "-T", "-q", "-c", n.ConfPath())
	output, err := command.StdoutPipe()
	require.NoError(t, err)
	require.NoError(t, command.Start())
	require.Eventually(t, func() bool { return connects(n.Addr()) }, 10*time.Second, time.Millisecond)

	dump, err := io.ReadAll(output)
	require.NoError(t, err)
	require.Contains(t, string(dump), "# filler\n")
	require.NoError(t, command.Wait())
	require.False(t, connects(n.Addr()))
}

func TestADoubleHoldsItsSocketsAsLongAsItIsTold(t *testing.T) {
	const hold = 300 * time.Millisecond
	n := nginx.PrepareT(t, nginx.Options{Main: []string{badnginx.Hold(hold)}})
	began := time.Now()
	verdict, err := n.Test(badnginx.BuildT(t, badnginx.Honest))
	require.NoError(t, err)
	require.Zero(t, verdict.ExitCode, verdict.Output)
	require.GreaterOrEqual(t, time.Since(began), hold)
	require.NoError(t, n.Start(), "nginx takes the directive too")
}

// A test of a running nginx leaves its unix socket alone; one that runs alone makes a socket and removes its name.
func TestADoubleMakesUnixSocketsAsNginxDoes(t *testing.T) {
	double := badnginx.BuildT(t, badnginx.ThiefOfConnections)
	n := nginx.PrepareT(t, nginx.Options{Unix: true})
	for range 2 {
		verdict, err := n.Test(double)
		require.NoError(t, err)
		require.Zero(t, verdict.ExitCode, verdict.Output)
		require.NoFileExists(t, n.SocketPath())
	}
	require.NoError(t, n.Start())
	_, err := n.Test(double)
	require.NoError(t, err)
	conn, err := net.Dial("unix", n.SocketPath())
	require.NoError(t, err)
	require.NoError(t, conn.Close())
}

func connects(address string) bool {
	conn, err := net.Dial("tcp4", address)
	if err != nil {
		return false
	}
	_ = conn.Close()
	return true
}
