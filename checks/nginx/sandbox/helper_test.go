package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // a test starts itself under other circumstances.
	"sync"

	"zabbix-agent2-plugin-hosting/testenv/apart"
)

// helperTask is a test that a process in the place of the root helper makes, and what it answers.
type helperTask struct {
	Technique Technique
	Command   Command
	Result    *Result
	Error     string
}

// asHelper makes tests in a process that has only the rights of the root helper, and sees the host by this process.
func asHelper(technique Technique) func(context.Context, Command) (*Result, error) {
	return func(_ context.Context, command Command) (*Result, error) {
		command.AsRoot = true
		if command.Namespaces == 0 {
			command.Namespaces = os.Getpid()
		}
		h, err := theHelper()
		if err != nil {
			return nil, err
		}
		task, err := h.do(helperTask{Technique: technique, Command: command})
		if err == nil && task.Error != "" {
			err = errors.New(task.Error)
		}
		return task.Result, err
	}
}

// helperProcess makes one test after the other. It ends with this process, or before by what a test does to it.
type helperProcess struct {
	mu    sync.Mutex
	tasks *json.Encoder
	done  *json.Decoder
}

// theHelper is started once, for that takes longer than a test.
var theHelper = sync.OnceValues(startHelper)

func startHelper() (*helperProcess, error) {
	itself, err := apart.Itself()
	if err != nil {
		return nil, err
	}
	defer itself.Close()
	command := exec.Command(apart.SelfPath)
	command.Env = append(os.Environ(), fakeVariable+"=helper")
	command.ExtraFiles, command.Stderr = []*os.File{itself}, os.Stderr
	input, err := command.StdinPipe()
	if err != nil {
		return nil, err
	}
	output, err := command.StdoutPipe()
	if err != nil {
		return nil, err
	}
	if err := apart.AsHelper(command.Start); err != nil {
		return nil, err
	}
	return &helperProcess{tasks: json.NewEncoder(input), done: json.NewDecoder(output)}, nil
}

func (h *helperProcess) do(task helperTask) (helperTask, error) {
	h.mu.Lock()
	defer h.mu.Unlock()
	if err := h.tasks.Encode(task); err != nil {
		return task, fmt.Errorf("cannot tell the helper: %w", err)
	}
	if err := h.done.Decode(&task); err != nil {
		return task, fmt.Errorf("cannot hear the helper: %w", err)
	}
	return task, nil
}

// testAsHelper is what such a process does, until its standard input ends.
func testAsHelper() {
	tasks, done := json.NewDecoder(os.Stdin), json.NewEncoder(os.Stdout)
	for {
		var task helperTask
		if tasks.Decode(&task) != nil {
			return
		}
		var err error
		if task.Result, err = only(task.Technique).Test(context.Background(), task.Command); err != nil {
			task.Error = err.Error()
		}
		if err := done.Encode(task); err != nil {
			panic(err)
		}
	}
}
