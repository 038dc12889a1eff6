package sandbox

import (
	"encoding/binary"
	"os"
	"os/exec" //nolint:depguard // a test starts itself under other circumstances.
	"path/filepath"
	gosyscall "syscall"
	"testing"
	"unsafe"

	"github.com/stretchr/testify/require"
	"golang.org/x/sys/unix"

	"zabbix-agent2-plugin-hosting/checks/nginx/sandbox/seccomp"
	"zabbix-agent2-plugin-hosting/checks/thread"
	"zabbix-agent2-plugin-hosting/testenv/baddns"
	"zabbix-agent2-plugin-hosting/testenv/nginx"
)

// circumstance is where a test runs once more.
type circumstance struct {
	name string
	// uid is the user, root where 0; capabilities are all that root has, where not 0.
	uid          uint32
	capabilities []int
	// denied are system calls that fail with EPERM.
	denied []seccomp.Rule
	// resolver answers for names.
	resolver    baddns.Behavior
	environment []string
	// lowPorts has the program's file grant its user all ports.
	lowPorts bool
	// helper has tests be made as the root helper makes them.
	helper bool
	// suite is that of the nginx, Debian 12's where empty.
	suite nginx.Suite
}

const ordinaryUser = 65534

// docker is what a container has by default.
var docker = []int{
	unix.CAP_CHOWN, unix.CAP_DAC_OVERRIDE, unix.CAP_FSETID, unix.CAP_FOWNER, unix.CAP_MKNOD, unix.CAP_NET_RAW, unix.CAP_SETGID, unix.CAP_SETUID,
	unix.CAP_SETFCAP, unix.CAP_SETPCAP, unix.CAP_NET_BIND_SERVICE, unix.CAP_SYS_CHROOT, unix.CAP_KILL, unix.CAP_AUDIT_WRITE,
}

// isInside tells whether this process is a child that the same test started.
func isInside() bool { return os.Getenv(insideVariable) != "" }

// isPrivate tells whether the host's addresses and names are those of the tests: only root can have a host for tests.
func isPrivate() bool { return os.Getenv(insideVariable) == "private" }

// again runs the calling test in a child under the circumstances, with root in a network and a mount namespace of its own.
func (c circumstance) again(t *testing.T, test string) {
	t.Helper()
	command := c.prepare(t, test)
	var output []byte
	ended := make(chan error)
	thread.Start(func() {
		clean, err := c.enter(command)
		if err == nil {
			output, err = command.CombinedOutput()
		}
		clean()
		ended <- err
	})
	require.NoError(t, <-ended, "%s: %s", c.name, &tail{output})
	require.Contains(t, string(output), "PASS")
}

// tail shows the end of a long text.
type tail struct{ text []byte }

func (t *tail) String() string { return string(t.text[max(0, len(t.text)-30000):]) }

func (c circumstance) prepare(t *testing.T, test string) *exec.Cmd {
	t.Helper()
	own, err := os.Executable()
	require.NoError(t, err)
	suite := nginx.Bookworm
	if c.suite != "" {
		suite = c.suite
	}
	build, err := nginx.InstallSuite(suite)
	require.NoError(t, err)
	temporary, err := os.MkdirTemp("", "sandbox")
	require.NoError(t, err)
	t.Cleanup(func() { require.NoError(t, os.RemoveAll(temporary)) })
	require.NoError(t, os.Chmod(temporary, 0o777))
	inside := "shared"
	if os.Geteuid() == 0 {
		inside = "private"
	}
	// Go's temporary files lie where only their owner may look.
	program := filepath.Join(temporary, "test")
	text, err := os.ReadFile(own)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(program, text, 0o755))
	nginxPath := build.Path
	if c.lowPorts {
		nginxPath = filepath.Join(temporary, "nginx")
		grant(t, build.Path, nginxPath)
	}
	command := exec.Command(program, "-test.run", "^"+test+"$", "-test.timeout=5m")
	command.Dir = temporary
	command.Env = append(os.Environ(), insideVariable+"="+inside, binaryVariable+"="+nginxPath, modulesVariable+"="+build.Modules, "TMPDIR="+temporary, suiteVariable+"="+string(c.suite))
	if c.suite != "" || c.lowPorts {
		command.Env = append(command.Env, otherWordsVariable+"=1")
	}
	if c.helper {
		command.Env = append(command.Env, helperVariable+"=1")
	}
	command.Env = append(command.Env, c.environment...)
	command.SysProcAttr = &gosyscall.SysProcAttr{Pdeathsig: gosyscall.SIGKILL}
	if c.uid != 0 {
		command.SysProcAttr.Credential = &gosyscall.Credential{Uid: c.uid, Gid: c.uid}
	}
	return command
}

// grant makes a copy of a program that may take low ports. Only root can.
func grant(t *testing.T, from, to string) {
	t.Helper()
	text, err := os.ReadFile(from)
	require.NoError(t, err)
	require.NoError(t, os.WriteFile(to, text, 0o755))
	capabilities := make([]byte, 20)
	const revision2AndEffective = 0x02000001
	binary.LittleEndian.PutUint32(capabilities, revision2AndEffective)
	binary.LittleEndian.PutUint32(capabilities[4:], 1<<unix.CAP_NET_BIND_SERVICE)
	require.NoError(t, unix.Setxattr(to, "security.capability", capabilities, 0))
}

// enter brings the calling thread into the circumstances, so that what it starts is in them.
func (c circumstance) enter(command *exec.Cmd) (clean func(), err error) {
	clean = func() {}
	if os.Geteuid() == 0 {
		if clean, err = privateHost(filepath.Dir(command.Path), c.resolver); err != nil {
			return clean, err
		}
	}
	if c.capabilities != nil {
		for capability := range unix.CAP_LAST_CAP + 1 {
			wanted := false
			for _, kept := range c.capabilities {
				wanted = wanted || kept == capability
			}
			if !wanted {
				_ = unix.Prctl(unix.PR_CAPBSET_DROP, uintptr(capability), 0, 0, 0)
			}
		}
	}
	if c.denied != nil {
		program := seccomp.Filter{Arch: auditArch, Highest: 1 << 20, Rules: c.denied}.Assemble()
		filter := unix.SockFprog{Len: uint16(len(program)), Filter: &program[0]}
		if err := mayFilter(); err != nil {
			return clean, err
		}
		err = unix.Prctl(unix.PR_SET_SECCOMP, unix.SECCOMP_MODE_FILTER, uintptr(unsafe.Pointer(&filter)), 0, 0)
	}
	return clean, err
}
