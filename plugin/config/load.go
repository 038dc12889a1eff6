package config

import (
	"encoding/json"
	"errors"
	"fmt"
	"io/fs"
	"os"
	"os/user"
	"strconv"
	"strings"
	"sync"
	"syscall"

	"golang.zabbix.com/sdk/conf"
)

const (
	// AgentFile is where the agent's packages put its configuration.
	AgentFile = "/etc/zabbix/zabbix_agent2.conf"

	maxAgentFile = 16 << 20
	groupMayRead = 0o040
)

// agentFile is what the agent's configuration file has for this plugin.
type agentFile struct {
	Plugins struct {
		Hosting any `conf:"optional"`
	} `conf:"optional"`
}

// The SDK's parser keeps in a variable of its own what relative Include= paths are relative to.
var parserMutex sync.Mutex

// Load reads the options as the agent does, from its own configuration file and the files that this includes. What is meant for the
// agent or other plugins is ignored. An error says which file cannot be read and who may, or names the option.
func Load(path string) (Options, error) {
	if err := checkAgentFile(path); err != nil {
		return Options{}, err
	}

	file, err := parseAgentFile(path)
	if err != nil {
		return Options{}, fmt.Errorf("cannot read %s: %w", path, err)
	}

	private, err := json.Marshal(file.Plugins.Hosting)
	if err != nil {
		return Options{}, fmt.Errorf("cannot read %s: %w", path, err)
	}

	options, err := Parse(private)
	if err != nil {
		return Options{}, &InvalidError{file: path, err: err}
	}

	return options, nil
}

// InvalidError is of options with which the agent does not start.
type InvalidError struct {
	file string
	err  error
}

func (e *InvalidError) Error() string {
	return fmt.Sprintf("cannot use %s or a file that it includes: %s; lines count within each file", e.file, e.err)
}

func (e *InvalidError) Unwrap() error { return e.err }

// IsSiteName tells whether a test site may have this name.
func IsSiteName(text string) bool { return groupNames.MatchString(text) }

// checkAgentFile fails with a sentence that helps where the SDK's would not.
func checkAgentFile(path string) error {
	info, err := os.Stat(path)

	switch {
	case errors.Is(err, fs.ErrNotExist):
		return fmt.Errorf("cannot read %s: there is no such file; name the agent's configuration file with --config", path)
	case errors.Is(err, fs.ErrPermission):
		return fmt.Errorf("cannot read %s: its folder is closed to user %s; run as root", path, userName(strconv.Itoa(os.Geteuid())))
	case err != nil:
		return fmt.Errorf("cannot read the agent's configuration: %w", err)
	case !info.Mode().IsRegular():
		return fmt.Errorf("cannot read %s: it is not a file; name the agent's configuration file with --config", path)
	case info.Size() > maxAgentFile:
		return fmt.Errorf("cannot read %s: it has more than %d bytes; name the agent's configuration file with --config", path, maxAgentFile)
	}

	file, err := os.Open(path)
	if errors.Is(err, fs.ErrPermission) {
		return fmt.Errorf("cannot read %s: permission denied%s", path, whoMay(info))
	} else if err != nil {
		return fmt.Errorf("cannot read the agent's configuration: %w", err)
	}

	return file.Close()
}

// parseAgentFile has the SDK parse the file without minding the options that are not this plugin's.
func parseAgentFile(path string) (agentFile, error) {
	parserMutex.Lock()
	defer parserMutex.Unlock()

	var parsed agentFile

	// Load refuses all options but ours, and is called for what it remembers once it has read the file: the path.
	if err := conf.Load(path, &parsed); conf.GetCurrentConfigPath() != path {
		return parsed, err
	}

	parsed = agentFile{}

	err := conf.LoadUserParams(&parsed)
	if inner := errors.Unwrap(err); inner != nil {
		err = inner
	}

	// The SDK keeps the text of an included file's error, and not the error.
	if err != nil && strings.HasSuffix(err.Error(), syscall.EACCES.Error()) {
		err = fmt.Errorf("%w; run as root or as the agent's user", err)
	}

	if err != nil && strings.Contains(err.Error(), "invalid character") {
		err = fmt.Errorf("%w; a name has letters, digits and _ only", err)
	}

	return parsed, err
}

// whoMay tells who can read a file that the caller cannot.
func whoMay(info fs.FileInfo) string {
	owner, ok := info.Sys().(*syscall.Stat_t)
	if !ok {
		return "; run as root"
	}

	owning, groupName := userName(strconv.Itoa(int(owner.Uid))), strconv.Itoa(int(owner.Gid))
	if group, err := user.LookupGroupId(groupName); err == nil {
		groupName = group.Name
	}

	who := "user " + owning
	if info.Mode().Perm()&groupMayRead != 0 {
		who = "a member of group " + groupName
	}

	return fmt.Sprintf(" (mode %04o, user %s, group %s); run as root or as %s", info.Mode().Perm(), owning, groupName, who)
}

func userName(id string) string {
	if found, err := user.LookupId(id); err == nil {
		return found.Username
	}

	return id
}
