package sandbox

import (
	"time"

	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

// testBare runs an ordinary test, of which is known that it changes nothing.
func testBare(command Command, surroundings *surroundings, streams *streams, begun time.Time) (result *Result, cancelled bool, err error) {
	result = &Result{Technique: TechniqueBare}
	err = thread.Run(func() error {
		err := surroundings.enter()
		if err == nil {
			cancelled, err = runBare(command, surroundings, streams, result, begun)
		}
		return err
	})
	return result, cancelled, err
}

func runBare(command Command, surroundings *surroundings, streams *streams, result *Result, begun time.Time) (cancelled bool, err error) {
	pid, pidfd, err := fork(command, streams, false)
	if err != nil {
		return false, err
	}
	j := newJudge(command, surroundings, pid, pidfd, streams, result)
	defer j.close()
	if pidfd >= 0 {
		defer func() { _ = unix.Close(pidfd) }()
	}
	files, limited := setLimits(pid, command)
	result.NoFile = files
	w := startWatch(streams, j, result, begun.Add(command.timeout()))
	status, err := j.reap(result)
	w.mainEnded()
	w.end()
	complete(result, status)
	if err == nil {
		err = limited
	}
	return w.cancelled, err
}
