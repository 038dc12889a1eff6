// Command fetch gets what the build and the tests need and the repository does not hold.
// It imports nothing but the standard library and its like here, so that it runs before anything is fetched: GOWORK=off go run ./testenv/cmd/fetch.
package main

import (
	"errors"
	"flag"
	"fmt"
	"io"
	"os"
	"path/filepath"

	"zabbix-agent2-plugin-hosting/testenv/boot"
	"zabbix-agent2-plugin-hosting/testenv/builddir"
	"zabbix-agent2-plugin-hosting/testenv/chromium"
	"zabbix-agent2-plugin-hosting/testenv/debian"
	"zabbix-agent2-plugin-hosting/testenv/kernels"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
	"zabbix-agent2-plugin-hosting/testenv/wordpress"
	"zabbix-agent2-plugin-hosting/testenv/zabbixagent"
	"zabbix-agent2-plugin-hosting/testenv/zabbixserver"
)

const usage = `usage: fetch sdk | agents | nginx | servers | chromium | wordpress | machine | kernels | symbols | tidy [MODULE[@VERSION]...]
  sdk        the Zabbix SDK into build/sdk, from Debian's source, where the module proxy does not serve it
  agents     Zabbix agents 6.0 and 7.0 into build/agents, from Debian's packages
  nginx      nginx into build/nginx, from Debian's packages
  servers    Zabbix servers 6.0 and 7.0 with their first databases, proxies, frontends, PostgreSQL and PHP into build/zabbixserver, from Debian's packages
  chromium   Chromium into build/chromium, from Debian's packages
  wordpress  nginx, and WordPress with PHP and MariaDB into build/wordpress, from Debian's packages
  machine    a Debian 12 with systemd into build/machine, and systemd-nspawn into build/nspawn, from Debian's packages; needs root
  kernels    qemu into build/qemu, and Linux 6.1 and 6.12 into build/kernels, from Debian's packages
  symbols    the debug symbols of Linux 6.1 and 6.12 into build/kernels, binutils and elfutils into build/addr2line, from Debian's packages
  tidy       adds the modules given and tidies go.mod and go.sum, although the SDK may come from build/sdk
`

var errUsage = errors.New("cannot tell what to fetch; the usage is above")

func main() {
	if err := run(os.Args[1:], os.Stderr); err != nil {
		fmt.Fprintln(os.Stderr, "fetch:", err)
		os.Exit(1)
	}
}

func run(arguments []string, out io.Writer) error {
	flags := flag.NewFlagSet("fetch", flag.ContinueOnError)
	flags.SetOutput(out)
	flags.Usage = func() { fmt.Fprint(out, usage) }
	if err := flags.Parse(arguments); errors.Is(err, flag.ErrHelp) {
		return nil
	} else if err != nil {
		return errUsage
	}
	root, err := builddir.Root()
	if err != nil {
		return err
	}
	apt := debian.Open(filepath.Join(root, "build", "apt"))
	switch flags.Arg(0) {
	case "sdk":
		return fetchSDK(root, apt, out)
	case "tidy":
		if err := fetchSDK(root, apt, out); err != nil {
			return err
		}
		return tidy(root, flags.Args()[1:], out)
	case "agents":
		for _, version := range zabbixagent.Versions() {
			binary, err := zabbixagent.Install(version)
			if err != nil {
				return err
			}
			fmt.Fprintln(out, "Zabbix agent", version, "is", binary.Path)
		}
		return nil
	case "nginx":
		path, err := nginx.Install()
		if err == nil {
			fmt.Fprintln(out, "nginx is", path)
		}
		return err
	case "chromium":
		return chromium.Install()
	case "servers":
		for _, version := range zabbixserver.Versions() {
			if err := zabbixserver.Install(version); err != nil {
				return err
			}
		}
		return nil
	case "wordpress":
		return wordpress.Install()
	case "machine":
		tree, err := boot.Install()
		if err == nil {
			fmt.Fprintln(out, "the machine's tree is", tree)
		}
		return err
	case "kernels":
		return kernels.Install()
	case "symbols":
		return kernels.InstallSymbols()
	}
	flags.Usage()
	return errUsage
}
