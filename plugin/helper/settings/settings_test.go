package settings

import (
	"os/user"
	"regexp"
	"strings"
	"testing"
	"time"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/plugin/config"
)

var defaults = Settings{
	User: "zabbix", IdleExit: 10 * time.Minute, NginxRevalidate: time.Hour, NginxTimeout: time.Minute,
	WatchListeners: true, WatchKills: true, SlabSession: 2 * time.Minute, SlabSessionEvery: time.Hour, SlabSessionCPUPct: 20,
}

// users are those of a host where Zabbix's packages are installed.
func users(name string) (*user.User, error) {
	numbers := map[string]string{"root": "0", "zabbix": "112", "monitoring": "1001", "last": "4294967294", "windows": "S-1-5-18", "larger": "4294967296"}
	if uid, ok := numbers[name]; ok {
		return &user.User{Username: name, Uid: uid}, nil
	}

	return nil, user.UnknownUserError(name)
}

func with(change func(*Settings)) Settings {
	s := defaults
	change(&s)

	return s
}

func TestParse(t *testing.T) {
	t.Parallel()

	edge := instance.Configured{Name: "edge", Binary: "/usr/sbin/nginx"}

	for name, test := range map[string]struct {
		text string
		want Settings
	}{
		"an empty file":             {"", defaults},
		"comments alone":            {"# nothing\n\n  # here", defaults},
		"Windows' ends of lines":    {"user = \"monitoring\"\r\nidle_exit = '1h'\r\n", with(func(s *Settings) { s.User, s.IdleExit = "monitoring", time.Hour })},
		"the shortest idle time":    {`idle_exit = "1s"`, with(func(s *Settings) { s.IdleExit = time.Second })},
		"the longest idle time":     {`idle_exit = "24h"`, with(func(s *Settings) { s.IdleExit = 24 * time.Hour })},
		"a time without a unit":     {`idle_exit = "90"`, with(func(s *Settings) { s.IdleExit = 90 * time.Second })},
		"how old a test may be":     {`nginx_revalidate = "5m"`, with(func(s *Settings) { s.NginxRevalidate = 5 * time.Minute })},
		"how long a test may take":  {`nginx_timeout = "10m"`, with(func(s *Settings) { s.NginxTimeout = 10 * time.Minute })},
		"an instance":               {"[nginx.edge]\nbinary = \"/usr/sbin/nginx\"", with(func(s *Settings) { s.Nginx = []instance.Configured{edge} })},
		"an instance in one line":   {`nginx.edge.binary = "/usr/sbin/nginx"`, with(func(s *Settings) { s.Nginx = []instance.Configured{edge} })},
		"a table without instances": {"[nginx]", with(func(s *Settings) { s.Nginx = []instance.Configured{} })},
		"instances in the order of their names": {
			"[nginx.shop]\nbinary=\"/opt/nginx\"\nconfig=\"/opt/../opt/nginx.conf\"\nprefix=\"/opt/\"\n[nginx.edge]\nbinary=\"/usr/sbin/nginx\"\n",
			with(func(s *Settings) {
				s.Nginx = []instance.Configured{edge, {Name: "shop", Binary: "/opt/nginx", Config: "/opt/nginx.conf", Prefix: "/opt"}}
			}),
		},
	} {
		got, err := parse(strings.NewReader(test.text))
		require.NoError(t, err, name)
		require.Equal(t, test.want, got, name)
	}
}

func TestWhatIsWrongIsToldInOneLine(t *testing.T) {
	t.Parallel()

	const known = "known are user, idle_exit, nginx_revalidate, nginx_timeout, watch_listeners, watch_kills, slab_session, slab_session_cpu, slab_session_every and [nginx.<name>]"

	for text, want := range map[string]string{
		`user = ""`:                        `user = "": allowed is the name of a user`,
		`user = 112`:                       `user is no text: allowed is the name of a user, in quotes`,
		"user = [\"a\\nb\"]":               `user is no text: allowed is the name of a user, in quotes`,
		"[user]\nname = \"zabbix\"":        `user is no text: allowed is the name of a user, in quotes`,
		`idle_exit = "0s"`:                 `idle_exit = "0s": allowed is a time from 1s to 24h`,
		`idle_exit = "999ms"`:              `idle_exit = "999ms": allowed is a time from 1s to 24h`,
		`idle_exit = "25h"`:                `idle_exit = "25h": allowed is a time from 1s to 24h`,
		`idle_exit = "-1m"`:                `idle_exit = "-1m": allowed is a time from 1s to 24h`,
		`idle_exit = "never"`:              `idle_exit = "never": allowed is a time from 1s to 24h`,
		`idle_exit = "1m\n"`:               `idle_exit = "1m\n": allowed is a time from 1s to 24h`,
		`idle_exit = 600`:                  `idle_exit is no text: allowed is a time from 1s to 24h, in quotes`,
		`idle_exit = 10:00:00`:             `idle_exit is no text: allowed is a time from 1s to 24h, in quotes`,
		`nginx_revalidate = "59s"`:         `nginx_revalidate = "59s": allowed is a time from 1m to 24h`,
		`nginx_timeout = "11m"`:            `nginx_timeout = "11m": allowed is a time from 1s to 10m`,
		`nginx_timeout = true`:             `nginx_timeout is no text: allowed is a time from 1s to 10m, in quotes`,
		`User = "zabbix"`:                  `there is no option "User"; ` + known,
		`idle = "1m"`:                      `there is no option "idle"; ` + known,
		`"a\nb" = 1`:                       `there is no option "a\nb"; ` + known,
		"[apache]\nbinary = \"/\"":         `there is no option "apache"; ` + known,
		`nginx = "/usr/sbin/nginx"`:        `nginx is no table; write [nginx.<name>]`,
		`nginx = []`:                       `nginx is no table; write [nginx.<name>]`,
		`[[nginx]]`:                        `nginx is no table; write [nginx.<name>]`,
		"[nginx]\nedge = \"/x\"":           `nginx."edge" is no table; write [nginx.<name>]`,
		"[nginx]\nbinary = \"/x\"":         `nginx."binary" is no table; write [nginx.<name>]`,
		"[nginx.edge]":                     `[nginx."edge"]: it needs binary`,
		"[nginx.edge]\nbinary = \"nginx\"": `[nginx."edge"]: binary = "nginx": allowed is an absolute path`,
		"[nginx.edge]\nbinary = \"\"":      `[nginx."edge"]: binary = "": allowed is an absolute path`,
		"[nginx.edge]\nbinary = 1":         `[nginx."edge"]: "binary" is no text; put it in quotes`,
		"[nginx.edge]\nbinary = \"/x\"\nconfig = \"x.conf\"": `[nginx."edge"]: config = "x.conf": allowed is an absolute path`,
		"[nginx.edge]\nbinary = \"/x\"\nprefix = \"x\"":      `[nginx."edge"]: prefix = "x": allowed is an absolute path`,
		"[nginx.edge]\nbinary = \"/x\"\nBinary = \"/y\"":     `[nginx."edge"]: there is no option "Binary"; known are binary, config, prefix`,
		"[nginx.edge]\nbinary = \"/x\"\nargs = \"-t\"":       `[nginx."edge"]: there is no option "args"; known are binary, config, prefix`,
		"[nginx.\"a b\"]\nbinary = \"/x\"":                   `[nginx."a b"]: a name has 1 to 64 letters, digits and _`,
		"[nginx.\"../x\"]\nbinary = \"/x\"":                  `[nginx."../x"]: a name has 1 to 64 letters, digits and _`,
		"[nginx.\"\"]\nbinary = \"/x\"":                      `[nginx.""]: a name has 1 to 64 letters, digits and _`,
		"\n\nuser = zabbix":                                  `line 3: expected value but found "zabbix" instead`,
		"user":                                               `line 1: unexpected EOF; expected key separator '='`,
		"# fine\nuser = \"a\"\nuser = \"b\"":                 `line 3: Key 'user' has already been defined.`,
		"user = \"a":                                         `line 1: unexpected EOF; expected '"'`,
		"\x00":                                               `line 1: files cannot contain NULL bytes; probably using UTF-16; TOML files must be UTF-8`,
		"user = \"\xff\"":                                    `line 1: invalid UTF-8 byte: 0xff`,
	} {
		_, err := parse(strings.NewReader(text))
		require.EqualError(t, err, want, "%q", text)
	}
}

func TestTheUserMustExist(t *testing.T) {
	t.Parallel()

	for name, want := range map[string]struct {
		uid uint32
		err string
	}{
		"zabbix":     {112, ""},
		"monitoring": {1001, ""},
		"root":       {0, ""},
		"last":       {4294967294, ""},
		"alice":      {0, `user = "alice": there is no such user; install zabbix-agent2, or name the agent's user`},
		"112":        {0, `user = "112": there is no such user; install zabbix-agent2, or name the agent's user`},
		"windows":    {0, `user = "windows": the system gives it the number "S-1-5-18"; correct /etc/passwd`},
		"larger":     {0, `user = "larger": the system gives it the number "4294967296"; correct /etc/passwd`},
	} {
		s := Settings{User: name}
		err := s.findUser(users)
		require.Equal(t, want.uid, s.UID)

		if want.err == "" {
			require.NoError(t, err)
		} else {
			require.EqualError(t, err, want.err)
		}
	}
}

func TestWithoutAUsableFileOnlyTheUsualUserIsAnsweredForASecond(t *testing.T) {
	t.Parallel()

	want := Settings{User: "zabbix", IdleExit: time.Second}
	if err := want.findUser(user.Lookup); err != nil {
		want.UID = 0
	}

	require.Equal(t, want, Fallback())
}

func TestTheDocumentedFileHoldsEachOptionAtItsDefault(t *testing.T) {
	t.Parallel()

	text := File()
	got, err := parse(strings.NewReader(text))
	require.NoError(t, err)
	require.Equal(t, defaults, got)

	for _, o := range Options() {
		require.Contains(t, text, "\n# "+o.Description+"\n# Allowed is "+o.Allowed+".\n#"+o.Name+` = "`+o.Default+"\"\n")
	}

	for _, o := range config.NginxOptions() {
		require.Contains(t, text, "\n# "+o.Description+" Allowed is "+o.Allowed+".\n#"+strings.ToLower(o.Name)+` = "`)
	}

	// Without the signs that make comments of the options, they are in force.
	got, err = parse(strings.NewReader(regexp.MustCompile(`(?m)^#(\S)`).ReplaceAllString(text, "$1")))
	require.NoError(t, err)
	require.Equal(t, with(func(s *Settings) {
		s.Nginx = []instance.Configured{{Name: "edge", Binary: "/usr/sbin/nginx", Config: "/etc/nginx/nginx.conf", Prefix: "/etc/nginx"}}
	}), got)

	for line := range strings.SplitSeq(text, "\n") {
		require.True(t, line == "" || strings.HasPrefix(line, "#"), line)
	}
}

// FuzzSettings wants settings that are within their bounds, or an error in one line.
func FuzzSettings(f *testing.F) {
	f.Add([]byte(File()))
	f.Add([]byte(regexp.MustCompile(`(?m)^#(\S)`).ReplaceAllString(File(), "$1")))

	for _, text := range []string{"", "user", "[nginx]", "[nginx.a]\nbinary='/x'", "user = \"\"\"a\nb\"\"\"", "a.b.c = 1", "nginx = {a = {binary = '/x'}}"} {
		f.Add([]byte(text))
	}

	f.Fuzz(func(t *testing.T, text []byte) {
		s, err := parse(strings.NewReader(string(text)))
		if err != nil {
			require.NotContains(t, err.Error(), "\n")
			require.NotEmpty(t, err.Error())

			return
		}

		require.NotEmpty(t, s.User)
		require.True(t, s.IdleExit >= time.Second && s.IdleExit <= 24*time.Hour)
		require.True(t, s.NginxRevalidate >= time.Minute && s.NginxRevalidate <= 24*time.Hour)
		require.True(t, s.NginxTimeout >= time.Second && s.NginxTimeout <= 10*time.Minute)

		for _, i := range s.Nginx {
			require.Regexp(t, `^[A-Za-z0-9_]{1,64}$`, i.Name)
			require.True(t, strings.HasPrefix(i.Binary, "/"))
		}
	})
}
