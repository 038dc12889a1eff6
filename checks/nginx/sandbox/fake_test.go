package sandbox

import (
	"context"
	"fmt"
	"os"
	"os/exec" //nolint:depguard // what a module may do is to start programs.
	"strings"
	"sync"
	gosyscall "syscall"
	"time"

	"golang.org/x/sys/unix"
)

// fakes are programs that take nginx's options, and do what no nginx does.
var fakes = map[string]func(){
	"mischief": func() { mischief(option("-p")) },
	"daemon":   func() { startDaemons() },
	"hang":     func() { startDaemons(); time.Sleep(time.Hour) },
	"sleep":    func() { time.Sleep(100 * time.Millisecond) },
	"forever":  func() { time.Sleep(time.Hour) },
	"chatter":  chatter,
	"crowd":    crowd,
	"surround": surround,
	"visit": func() {
		addresses := strings.Fields(option("-g"))
		visit(addresses[0], addresses[1], addresses[2])
	},
	// The supervisors of a test that hangs, which are killed.
	"notify": func() { supervise(TechniqueNotify) },
	"trace":  func() { supervise(TechniqueTrace) },
	"helper": testAsHelper,
	"rights": tellRights,
}

func option(name string) string {
	for i, argument := range os.Args {
		if argument == name {
			return os.Args[i+1]
		}
	}
	return ""
}

// fakeCommand runs this program as a fake.
func fakeCommand(name string, args ...string) Command {
	own, err := os.Executable()
	if err != nil {
		panic(err)
	}
	return Command{Binary: own, Args: args, Environment: []string{fakeVariable + "=" + name}}
}

// startDaemons starts processes that leave the session and the group, and tells their numbers.
func startDaemons() {
	own, err := os.Executable()
	if err != nil {
		panic(err)
	}
	for _, attributes := range []*gosyscall.SysProcAttr{{}, {Setpgid: true}, {Setsid: true}} {
		command := exec.Command(own)
		command.Env, command.SysProcAttr = []string{fakeVariable + "=forever"}, attributes
		if err := command.Start(); err != nil {
			panic(err)
		}
		fmt.Println("started", command.Process.Pid)
	}
	fmt.Println("ready")
}

// supervise tests with what hangs and has the same mark on its command line.
func supervise(technique Technique) {
	_, err := only(technique).Test(context.Background(), fakeCommand("forever", "-g", option("-g")))
	fmt.Println(err)
}

// crowd opens files with many threads at once, and fails where one cannot be opened.
func crowd() {
	var all sync.WaitGroup
	for range 16 {
		all.Go(func() {
			for range 500 {
				file, err := os.OpenFile("/dev/null", os.O_WRONLY, 0)
				if err != nil {
					panic(err)
				}
				_ = file.Close()
			}
		})
	}
	all.Wait()
}

// chatter writes 1 MiB, of which the first and the last line are known.
func chatter() {
	fmt.Println("first")
	line := strings.Repeat("x", 1023) + "\n"
	for range 1 << 10 {
		fmt.Print(line)
	}
	fmt.Println("last")
}

// surround tells what this process got.
func surround() {
	fmt.Println(os.Environ(), os.Args[1:])
	directory, err := os.Getwd()
	fmt.Println(directory, err)
	session, err := unix.Getsid(0)
	fmt.Println(session == os.Getpid(), err)
	n, err := os.Stdin.Read(make([]byte, 1))
	fmt.Println(n, err)
	for _, resource := range []int{unix.RLIMIT_CORE, unix.RLIMIT_AS} {
		var limit unix.Rlimit
		fmt.Println(unix.Prlimit(0, resource, nil, &limit), limit.Cur)
	}
	files, err := os.ReadDir("/proc/self/fd")
	names := []string{}
	for _, file := range files {
		target, err := os.Readlink("/proc/self/fd/" + file.Name())
		// The Go runtime has some of its own.
		ofRuntime := strings.HasPrefix(target, "anon_inode:") || strings.HasPrefix(target, "/sys/fs/cgroup/")
		if err == nil && !ofRuntime && target != "/proc/"+fmt.Sprint(os.Getpid())+"/fd" {
			names = append(names, file.Name())
		}
	}
	fmt.Println(names, err)
}
