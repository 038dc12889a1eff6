// Package sandbox runs `nginx -t` so that it says what it would say anyway and changes nothing: no port is opened, no connection or datagram taken, no
// file made, written, removed or re-owned, no signal sent, whatever the version of nginx and whatever modules it loads.
//
// # How
//
// The system calls of the test that could change something do not reach the kernel. They are handed over to this process (judge), which answers what the
// kernel would have answered for the test's user, root directory and network namespace, errors included, and remembers what was asked for:
//
//   - bind: another socket of the same kind is bound to the same address without a port, which takes none; EADDRNOTAVAIL, EAFNOSUPPORT and the EACCES of a
//     low port are the kernel's. Unix sockets are only looked up. listen does nothing.
//   - open to write: the path is resolved and judged, and the test gets a descriptor of /dev/null; standard output and error by another name stay what they are.
//   - mkdir, mknod, symlink, link, unlink, rename, chown, chmod, utime: judged, and kept in an overlay, so that what the test "made" it also finds.
//   - connect to syslog: a socket that nobody reads. Other connections, such as those for DNS, are left alone.
//   - kill: allowed within the test. What no test needs (mount, ptrace, modules, keys, shared memory that stays, …) fails with EPERM and is reported.
//   - open to read: done by the kernel, and written down, as whoever watches the configuration must know its files.
//
// # Techniques
//
// TechniqueNotify is seccomp user notification: a thread that is used once installs a filter and starts nginx; a second one answers. There is no program in
// between, which saves the 2 to 4 ms that executing a Go program takes. The thread lives until the test ends, as the kernel kills the test with it. If this
// process dies, all calls that would be handed over fail with ENOSYS.
//
// TechniqueTrace hands the same calls over by ptrace(2). It needs no seccomp and works on older kernels and in containers whose own seccomp profile denies
// the former; it takes some milliseconds more. If this process dies, the kernel kills the test.
//
// TechniqueBare is an ordinary test, where the caller knows that it changes nothing (BareConditions).
//
// A filter that cannot ask (a static one) is no technique: it can refuse to open a log, which nginx reports as a fault of the configuration, or let it be made,
// but not tell nginx that it was made; nor can it tell an address that is the host's from one that is not. A network namespace of its own has the host's
// addresses only as a copy, needs root, and does nothing about files; tracing works wherever it would.
//
// # Rights
//
// A test has no capability that no test needs (confine), of root's CAP_DAC_READ_SEARCH, CAP_DAC_OVERRIDE, CAP_CHOWN and their like only as far as this
// process has them. With CAP_DAC_READ_SEARCH, CAP_SYS_CHROOT and, to look at other processes, CAP_SYS_PTRACE this process makes root's tests as whole
// root would (Command.AsRoot): what it lacks is judged by root's rules, and what is read can be read. Other mounts are reached without
// CAP_SYS_ADMIN (package tree); another network is not.
//
// # Limits
//
// Judged by root's rules, a write that a file system refuses root by rules of its own, such as a FUSE that another user mounted for himself alone, may seem allowed.
// access(2) is answered by the kernel, which does not know of those rules.
// What a security module (AppArmor, SELinux) would refuse nginx alone, a full disk, a quota, and limits of inodes are not seen. A directory that the test
// made cannot be listed. The target of a rename or link that the test made reads as empty. User namespaces other than this process's are not entered.
// What a module connects to by TCP it reaches, and so does what it sends to a socket without connecting it; nginx itself does neither in a test.
// A process that a module started, that then left its session and made no call that is handed over, is not found: Result.Survivors tells. If this
// process is killed, such processes live on, without any call that is handed over.
// Landlock would be one more barrier; no kernel that has it was at hand.
package sandbox
