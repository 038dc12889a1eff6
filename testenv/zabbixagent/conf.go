package zabbixagent

import (
	"fmt"
	"path/filepath"
	"strings"
)

// Options describe one agent. Only Version is needed.
type Options struct {
	Version Version
	// Plugin is the path of a loadable plugin's binary; none is configured where it is empty.
	Plugin string
	// Name is the plugin's configuration section, "Hosting" by default.
	Name string
	// Lines are further lines of the configuration, such as Plugins.Hosting.X=….
	Lines []string
	// Timeout is the agent's global timeout in seconds, 3 by default.
	Timeout int
	// DebugLevel is the agent's log level, 3 (warnings) by default.
	DebugLevel int
	// UID and GID are whom the agent runs as; 0 stands for the caller.
	UID, GID uint32
}

func (o Options) withDefaults() Options {
	if o.Name == "" {
		o.Name = "Hosting"
	}
	if o.Timeout == 0 {
		o.Timeout = 3
	}
	if o.DebugLevel == 0 {
		o.DebugLevel = 3
	}
	return o
}

// conf is the agent's configuration: everything that two agents would share by default is in dir.
func (o Options) conf(dir string, port int) string {
	lines := []string{
		"Hostname=testenv",
		"Server=127.0.0.1",
		"ListenIP=127.0.0.1",
		fmt.Sprintf("ListenPort=%d", port),
		"PidFile=" + filepath.Join(dir, "agent.pid"),
		"LogFile=" + filepath.Join(dir, logFile),
		"LogFileSize=0",
		"ControlSocket=" + filepath.Join(dir, "control"),
		"PluginSocket=" + filepath.Join(dir, "plugin"),
		fmt.Sprintf("Timeout=%d", o.Timeout),
		fmt.Sprintf("DebugLevel=%d", o.DebugLevel),
	}
	if o.Plugin != "" {
		lines = append(lines, "Plugins."+o.Name+".System.Path="+o.Plugin)
	}
	return strings.Join(append(lines, o.Lines...), "\n") + "\n"
}
