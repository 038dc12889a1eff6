package journal

import (
	"bufio"
	"errors"
	"fmt"
	"io"
	"io/fs"
	"os"
	"strings"
	"syscall"
	"time"

	"zabbix-agent2-plugin-hosting/checks/thread"
)

const (
	// maxTime and maxBytes bound one run. The next one goes on.
	maxTime  = time.Second
	maxBytes = 16 << 20
	// maxSaid is how much is kept of what the program complains of.
	maxSaid = 4 << 10
	// maxLine is more than a line of the kernel log takes.
	maxLine = 256 << 10
)

// paths are where journalctl may be.
func paths() []string { return []string{"/usr/bin/journalctl", "/bin/journalctl"} }

// findProgram takes only what nobody but root can change.
func findProgram(candidates []string) (path string, err error) {
	for _, path = range candidates {
		info, statErr := os.Stat(path)
		if errors.Is(statErr, fs.ErrNotExist) {
			continue
		}

		if statErr != nil {
			return "", statErr
		}

		owner, _ := info.Sys().(*syscall.Stat_t)
		if !info.Mode().IsRegular() || info.Mode().Perm()&0o022 != 0 || owner == nil || owner.Uid != 0 {
			return "", fmt.Errorf("%s can be changed by others than root; run: chown root %s; chmod 0755 %s", path, path, path)
		}

		return path, nil
	}

	return "", fmt.Errorf("there is no %s: %w; it needs systemd", candidates[0], fs.ErrNotExist)
}

// errCut is a run that was ended before its end.
var errCut = errors.New("it takes too long or says too much; the next poll reads on")

// run hands each line that the program prints to take. It is errCut where the program had more to say.
func run(path string, arguments []string, take func(line []byte)) error {
	// The program ends with this thread, and so with this process.
	return thread.Run(func() error { return runHere(path, arguments, take) })
}

func runHere(path string, arguments []string, take func(line []byte)) error {
	null, err := os.Open(os.DevNull)
	if err != nil {
		return err
	}
	defer null.Close()

	output, stdout, err := os.Pipe()
	if err != nil {
		return err
	}
	defer output.Close()

	complaints, stderr, err := os.Pipe()
	if err != nil {
		return errors.Join(err, stdout.Close())
	}
	defer complaints.Close()

	process, err := os.StartProcess(path, append([]string{path}, arguments...), &os.ProcAttr{
		Dir: "/", Env: []string{"LC_ALL=C"}, Files: []*os.File{null, stdout, stderr}, Sys: &syscall.SysProcAttr{Pdeathsig: syscall.SIGKILL},
	})
	if err = errors.Join(err, stdout.Close(), stderr.Close()); err != nil {
		return err
	}

	// A deadline ends a reading even where another process has the other end.
	end := func() {
		_ = process.Kill()
		_, _ = output.SetReadDeadline(time.Now()), complaints.SetReadDeadline(time.Now())
	}

	timer := time.AfterFunc(maxTime, end)
	defer timer.Stop()

	said := make(chan string, 1)

	go func() {
		text, _ := io.ReadAll(io.LimitReader(complaints, maxSaid))
		said <- string(text)
		// It must not wait for a reader.
		_, _ = io.Copy(io.Discard, complaints)
	}()

	whole := readLines(output, take)
	if !whole {
		end()
	}

	state, err := process.Wait()

	return outcome(state, err, whole, <-said)
}

// readLines is false where there was more than may be read.
func readLines(from io.Reader, take func(line []byte)) (whole bool) {
	bounded := &io.LimitedReader{R: from, N: maxBytes}
	lines := bufio.NewScanner(bounded)
	lines.Buffer(nil, maxLine)

	for lines.Scan() {
		if bounded.N == 0 {
			break // it may be cut
		}

		take(lines.Bytes())
	}

	return bounded.N > 0 && lines.Err() == nil
}

func outcome(state *os.ProcessState, err error, whole bool, said string) error {
	switch {
	case err != nil:
		return err
	case state.Success():
		return nil
	case !whole || !state.Exited():
		return errCut
	}

	lines := strings.Split(strings.TrimSpace(said), "\n")

	return fmt.Errorf("it says: %s", lines[len(lines)-1])
}
