package cli

import (
	"context"
	"errors"
	"fmt"
	"os"
	"strings"

	"zabbix-agent2-plugin-hosting/plugin/config"
	"zabbix-agent2-plugin-hosting/plugin/helper"
)

// examineOptions reads the agent's configuration, in whose place are the defaults where it cannot be used.
func examineOptions(file *optionsFile) (config.Options, finding) {
	const name = "agent's options"

	options, err := file.options()
	_, invalid := errors.AsType[*config.InvalidError](err)

	switch {
	case invalid:
		return config.Defaults(), finding{Name: name, Found: err.Error(), Mend: mendOptions}
	case err != nil:
		return config.Defaults(), finding{Name: name, Found: err.Error() + "; what follows was tried with the defaults"}
	case file.absent():
		return options, finding{Name: name, Less: true, Found: noAgent}
	}

	return options, finding{Name: name, OK: true, Found: "those of " + file.path + " can be used"}
}

// examineHelper asks the helper, which a plugin that is root does without.
func examineHelper(client *helper.Client) []finding {
	const name = "root helper"

	defer client.Close()

	status, err := client.Status(context.Background())
	unusable, _ := errors.AsType[*helper.UnusableError](err)

	switch {
	case err == nil && status.ConfigurationError != "":
		return []finding{broken(name, status.ConfigurationError, mendHelperFile)}
	case err == nil:
		return []finding{{Name: name, OK: true, Found: fmt.Sprintf("version %s answers, with %d KiB of memory", status.Version, status.RSSBytes>>10)}}
	case unusable != nil && unusable.State == helper.Absent && os.Geteuid() == 0:
		return []finding{{Name: name, Less: true, Found: asRoot}}
	}

	problem, mend, _ := strings.Cut(err.Error(), "; ")

	return []finding{broken(name, problem, mend)}
}
