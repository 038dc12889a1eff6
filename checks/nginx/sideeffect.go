package nginx

import (
	"fmt"
	"os"
	"path/filepath"
	"slices"
	"strconv"
	"strings"
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/instance"
	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox"
)

// The kinds of side effects.
const (
	effectListener = "listener_appeared"
	effectFile     = "file_created"
	effectOwner    = "owner_changed"
)

// maxSideEffects bounds a payload; one is one too many.
const maxSideEffects = 20

// listeners are the addresses of the configuration on which somebody listened during the test only.
func (s sight) listeners(binds []sandbox.Bind) []SideEffect {
	found := []SideEffect{}

	for _, bind := range binds {
		if _, passing := s.passing[bind.Address]; bind.Network == "tcp" && passing && len(found) < maxSideEffects {
			found = append(found, SideEffect{Name: effectListener, Sentence: fmt.Sprintf(
				"something listened on %s only while the configuration was tested; stop this check and report it", bind.Address)})
		}
	}

	return found
}

// started tells whether somebody else began to listen on an address of the configuration: nginx was started meanwhile.
func (s sight) started(binds []sandbox.Bind) bool {
	return slices.ContainsFunc(binds, func(b sandbox.Bind) bool {
		_, others := s.others[b.Address]

		return others
	})
}

// sideEffects are what happened during a test and cannot be put down to nginx itself, which may have been started,
// reloaded or told to open its logs anew at that moment. The files are those that filesLeft has found.
func (m *Monitor) sideEffects(i *instance.Instance, r *sandbox.Result, seen sight, files []fileLeft) []SideEffect {
	found := seen.listeners(r.Binds)

	if len(files) == 0 || seen.started(r.Binds) || m.livesOn(i) {
		return found
	}

	for _, f := range files {
		if !isHeld(m.options.ProcPath, i.Master, f.path) && len(found) < maxSideEffects {
			found = append(found, f.SideEffect)
		}
	}

	return found
}

// livesOn tells whether the processes of an instance are others than before the test.
func (m *Monitor) livesOn(before *instance.Instance) bool {
	found, err := m.finder.Find(m.ctx)
	if err != nil {
		return false
	}

	for at := range found.Instances {
		if now := &found.Instances[at]; now.Name == before.Name {
			return !slices.Equal(processesOf(now.Master), processesOf(before.Master))
		}
	}

	return before.Master != nil
}

// processesOf are the master and the workers, each by its start.
func processesOf(master *instance.Master) []uint64 {
	if master == nil {
		return nil
	}

	all := []uint64{uint64(master.PID), master.StartTicks}
	for _, w := range master.Workers {
		all = append(all, uint64(w.PID), w.StartTicks)
	}

	return all
}

// isHeld tells whether the master has a file open, as it has its logs.
func isHeld(procPath string, master *instance.Master, path string) bool {
	if master == nil {
		return false
	}

	dir := filepath.Join(procPath, strconv.Itoa(master.PID), "fd")

	open, err := os.ReadDir(dir)
	if err != nil {
		return false
	}

	return slices.ContainsFunc(open, func(entry os.DirEntry) bool {
		target, err := os.Readlink(filepath.Join(dir, entry.Name()))

		return err == nil && target == path
	})
}

// fileLeft is a side effect on a file.
type fileLeft struct {
	SideEffect
	path string
}

// filesLeft looks, in the tree of the caller, whether something that the test was kept from has happened all the same.
func filesLeft(writes []sandbox.Write, began time.Time) (found []fileLeft) {
	for _, write := range writes {
		if write.Errno != "" || len(found) == maxSideEffects {
			continue
		}

		var now unix.Stat_t
		if unix.Lstat(write.Path, &now) != nil || now.Ctim.Nano() < began.Add(-settleTime).UnixNano() {
			continue
		}

		switch {
		case !write.Exists && slices.Contains([]string{"open", "mkdir", "mknod"}, write.Action):
			found = append(found, fileLeft{path: write.Path, SideEffect: SideEffect{Name: effectFile, Sentence: fmt.Sprintf(
				"%s was created while the configuration was tested; stop this check and report it", write.Path)}})
		case write.UID != nil && write.Exists && changedHands(write, &now):
			found = append(found, fileLeft{path: write.Path, SideEffect: SideEffect{Name: effectOwner, Sentence: fmt.Sprintf(
				"%s was given to user %d while the configuration was tested; stop this check and report it", write.Path, now.Uid)}})
		}
	}

	return found
}

// changedHands tells whether a file has the owner that the test asked for and did not have it before.
func changedHands(w sandbox.Write, now *unix.Stat_t) bool {
	return now.Uid != w.OwnerUID && now.Uid == *w.UID
}

// outputText is what nginx printed, fit for a payload.
func outputText(r *sandbox.Result) string {
	text := strings.ToValidUTF8(string(r.Output), "?")
	if len(text) > maxOutput {
		text = "[…] " + strings.ToValidUTF8(text[len(text)-maxOutput:], "")
	}

	return text
}

// maxOutput is the end of the output that a payload holds; what nginx says last is what it stumbled over.
const maxOutput = 4 << 10
