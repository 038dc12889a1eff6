// Package settings reads the root helper's configuration file, which only root may be able to change: it names programs that the helper
// runs.
package settings

import (
	"cmp"
	"errors"
	"fmt"
	"io"
	"maps"
	"os/user"
	"slices"
	"strconv"
	"strings"
	"time"

	"github.com/BurntSushi/toml"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/plugin/config"
)

// Path is where the packages put the file.
const Path = "/etc/zabbix/zabbix-hosting-helper.toml"

const (
	nginxTable = "nginx"
	// defaultUser is that of Zabbix's packages.
	defaultUser = "zabbix"
)

// Settings are valid, or at their defaults.
type Settings struct {
	// User may ask the helper, beside root; UID is its number.
	User string
	UID  uint32
	// IdleExit is how long after the last answer the helper ends.
	IdleExit        time.Duration
	NginxRevalidate time.Duration
	NginxTimeout    time.Duration
	WatchListeners  bool
	WatchKills      bool
	// SlabSession is how long a session of slab owners lasts, SlabSessionEvery the shortest time between two that start by themselves.
	SlabSession, SlabSessionEvery time.Duration
	// SlabSessionCPUPct is how much of all processors a session may take.
	SlabSessionCPUPct int
	Nginx             []instance.Configured // sorted by name
}

// Load reads the file; where there is none, all is at its default. An error names the file, and the option with its value and what
// is allowed.
func Load(path string) (Settings, error) { return load(path, user.Lookup) }

// lookup finds a user by name, as user.Lookup does.
type lookup func(name string) (*user.User, error)

func load(path string, find lookup) (Settings, error) {
	text, err := read(path)
	if err != nil {
		return Settings{}, err
	}

	s, err := parse(strings.NewReader(text))
	if err == nil {
		err = s.findUser(find)
	}

	if err != nil {
		return Settings{}, fmt.Errorf("cannot use %s: %w", path, err)
	}

	return s, nil
}

// Fallback is for a helper that cannot use its file: it answers the agent's usual user, and ends soon, so that the next request finds the
// file mended.
func Fallback() Settings {
	s := Settings{User: defaultUser, IdleExit: time.Second}
	// Without such a user only root is answered.
	_ = s.findUser(user.Lookup)

	return s
}

// parse leaves the user's number to findUser.
func parse(from io.Reader) (Settings, error) {
	var (
		tree map[string]any
		s    Settings
	)

	if _, err := toml.NewDecoder(from).Decode(&tree); err != nil {
		return s, tomlError(err)
	}

	for _, o := range Options() {
		value, given := tree[o.Name]
		delete(tree, o.Name)

		if !given {
			value = o.Default
		}

		if err := o.apply(&s, value); err != nil {
			return s, err
		}
	}

	instances, err := instances(tree[nginxTable])
	if err != nil {
		return s, err
	}

	s.Nginx = instances

	delete(tree, nginxTable)

	for _, name := range slices.Sorted(maps.Keys(tree)) {
		return s, fmt.Errorf("there is no option %q; known are %s and [%s.<name>]", name, strings.Join(names(), ", "), nginxTable)
	}

	return s, nil
}

// tomlError says where TOML is broken, on one line.
func tomlError(err error) error {
	if broken, ok := errors.AsType[toml.ParseError](err); ok {
		return fmt.Errorf("line %d: %s", broken.Position.Line, cmp.Or(broken.Message, "it is not TOML"))
	}

	return err
}

// instances takes the tables [nginx.<name>], whose options are those of Plugins.Hosting.Nginx.<name> in small letters.
func instances(table any) ([]instance.Configured, error) {
	if table == nil {
		return nil, nil
	}

	tables, ok := table.(map[string]any)
	if !ok {
		return nil, fmt.Errorf("%s is no table; write [%s.<name>]", nginxTable, nginxTable)
	}

	all := make([]instance.Configured, 0, len(tables))

	for _, name := range slices.Sorted(maps.Keys(tables)) {
		given, ok := tables[name].(map[string]any)
		if !ok {
			return nil, fmt.Errorf("%s.%q is no table; write [%s.<name>]", nginxTable, name, nginxTable)
		}

		texts := make(map[string]string, len(given))

		for option, value := range given {
			text, ok := value.(string)
			if !ok {
				return nil, fmt.Errorf("[%s.%q]: %q is no text; put it in quotes", nginxTable, name, option)
			}

			texts[option] = text
		}

		one, err := config.NewNginx(name, texts)
		if err != nil {
			return nil, fmt.Errorf("[%s.%q]: %w", nginxTable, name, err)
		}

		all = append(all, one)
	}

	return all, nil
}

func (s *Settings) findUser(find lookup) error {
	found, err := find(s.User)
	if err != nil {
		return fmt.Errorf("user = %q: there is no such user; install zabbix-agent2, or name the agent's user", s.User)
	}

	uid, err := strconv.ParseUint(found.Uid, 10, 32)
	if err != nil {
		return fmt.Errorf("user = %q: the system gives it the number %q; correct /etc/passwd", s.User, found.Uid)
	}

	s.UID = uint32(uid)

	return nil
}
