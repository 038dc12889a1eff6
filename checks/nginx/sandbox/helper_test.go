package sandbox

import (
	"context"
	"encoding/json"
	"errors"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // a test starts itself under other circumstances.

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
		task := helperTask{Technique: technique, Command: command}
		if err := task.run(); err != nil {
			return nil, err
		}
		if task.Error != "" {
			return nil, errors.New(task.Error)
		}
		return task.Result, nil
	}
}

func (task *helperTask) run() error {
	text, err := json.Marshal(task)
	if err != nil {
		return err
	}
	itself, err := apart.Itself()
	if err != nil {
		return err
	}
	defer itself.Close()
	helper := exec.Command(apart.SelfPath)
	helper.Env = append(os.Environ(), fakeVariable+"=helper", commandVariable+"="+string(text))
	helper.ExtraFiles, helper.Stderr = []*os.File{itself}, os.Stderr
	var output []byte
	err = apart.AsHelper(func() (err error) {
		output, err = helper.Output()
		return err
	})
	if err != nil {
		return err
	}
	return json.Unmarshal(output, task)
}

// testAsHelper is what such a process does.
func testAsHelper() {
	var task helperTask
	err := json.Unmarshal([]byte(os.Getenv(commandVariable)), &task)
	if err == nil {
		task.Result, err = only(task.Technique).Test(context.Background(), task.Command)
	}
	if err != nil {
		task.Error = err.Error()
	}
	text, err := json.Marshal(task)
	if err != nil {
		panic(err)
	}
	fmt.Println(string(text))
}
