package listeners

import (
	"fmt"
	"os"

	"zabbix-agent2-plugin-hosting/testenv/apart"
	"zabbix-agent2-plugin-hosting/testenv/builddir"
)

// unlock is never called: the kernel does it when this process ends.
var unlock func()

// Alone returns when no other package's tests have thousands of sockets come and go, which a watch of the whole host would
// see. Whoever calls it in TestMain is alone from then on.
func Alone() {
	// A test that runs apart is part of another process's, which is alone already.
	if apart.Here() {
		return
	}

	path, err := builddir.Path("listeners", "lock")
	if err == nil {
		unlock, err = builddir.Lock(path)
	}

	if err != nil {
		fmt.Fprintf(os.Stderr, "cannot wait for the tests of other packages: %v\n", err)
		os.Exit(1)
	}
}
