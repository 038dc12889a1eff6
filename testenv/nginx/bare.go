package nginx

import (
	"errors"
	"fmt"
	"os"
	"os/exec"
)

// Verdict is what a configuration test found.
type Verdict struct {
	// Output is all that it said on both of its outputs.
	Output string
	// ExitCode is 0 where the configuration is good, and -1 where a signal ended the test.
	ExitCode int
}

// Test tests the configuration as an administrator would, by `nginx -t`, with all that this does to the host. The program is another's where one is given.
func (n *Nginx) Test(program string, more ...string) (Verdict, error) {
	if program == "" {
		program = n.Program()
	}
	return verdict(exec.Command(program, append([]string{"-t", "-p", n.dir, "-c", n.ConfPath()}, more...)...))
}

// TestByScript is Test with another program, by a shell that ends with it, as a script of an administrator's does it.
func (n *Nginx) TestByScript(program string) (Verdict, error) {
	return verdict(exec.Command("/bin/sh", "-c", TestScript, program, n.dir, n.ConfPath()))
}

// TestScript is what the shell of TestByScript is given.
const TestScript = `"$0" -t -p "$1" -c "$2"; exit $?`

func verdict(command *exec.Cmd) (Verdict, error) {
	command.Env = append(os.Environ(), "LC_ALL=C")
	output, err := command.CombinedOutput()
	if _, ended := errors.AsType[*exec.ExitError](err); err != nil && !ended {
		return Verdict{}, fmt.Errorf("cannot test a configuration: %w; check that the program is there", err)
	}
	return Verdict{Output: string(output), ExitCode: command.ProcessState.ExitCode()}, nil
}
