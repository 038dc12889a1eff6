package cli

import (
	"errors"
	"flag"
	"io/fs"
	"os"

	"zabbix-agent2-plugin-hosting/plugin/config"
)

const agentFileUsage = "the agent's configuration `FILE` (" + config.AgentFile + ")"

// optionsFile is the agent's configuration as a flag names it.
type optionsFile struct {
	flags      *flag.FlagSet
	name, path string
}

func optionsFlag(flags *flag.FlagSet, name string) *optionsFile {
	f := &optionsFile{flags: flags, name: name}
	flags.StringVar(&f.path, name, config.AgentFile, agentFileUsage)

	return f
}

// absent tells that no agent is installed where its packages put it, and that no other file was named.
func (f *optionsFile) absent() bool {
	_, err := os.Stat(f.path)

	return errors.Is(err, fs.ErrNotExist) && !isSet(f.flags, f.name)
}

// options are the plugin's as the agent would give them to it, and the defaults where the file is absent.
func (f *optionsFile) options() (config.Options, error) {
	if f.absent() {
		return config.Defaults(), nil
	}

	return config.Load(f.path)
}
