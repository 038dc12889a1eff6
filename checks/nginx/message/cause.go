package message

import (
	"regexp"
	"strconv"
	"strings"

	"zabbix-agent2-plugin-hosting/checks/enum"
)

// Cause is what makes a test fail: the configuration, or something around it that a reload would meet as well. The
// numbers are stable.
type Cause int

// The causes. All but CauseConfiguration are the environment's.
const (
	CauseNone          Cause = 0
	CauseConfiguration Cause = 1
	// CauseDNS is a name that does not resolve.
	CauseDNS Cause = 2
	// CauseAddress is an address to listen on that the host lacks.
	CauseAddress Cause = 3
	// CausePortInUse is an address that another program listens on.
	CausePortInUse Cause = 4
	// CausePermission is a file or a port that is not for the user of the test.
	CausePermission  Cause = 5
	CauseSpace       Cause = 6
	CauseDescriptors Cause = 7
	CauseReadOnly    Cause = 8
	CauseMemory      Cause = 9
	CauseIO          Cause = 10
	// CauseOther is an error of the system that none of the others describes, or a line that is none of nginx's.
	CauseOther Cause = 11
)

var causeNames = enum.Of[Cause]("cause",
	"none", "configuration", "dns", "address", "port_in_use", "permission", "space", "descriptors", "read_only", "memory",
	"io", "other")

// String is the name, such as "dns".
func (c Cause) String() string { return causeNames.Name(c) }

// Causes returns every cause's name by its number.
func Causes() map[int]string { return causeNames.All() }

// Environment tells whether no configuration file is to blame.
func (c Cause) Environment() bool { return c > CauseConfiguration }

// systemError is an error of the kernel, by its number and by the words of strerror(3), which the C library, OpenSSL and
// the dynamic linker share.
type systemError struct {
	number int
	words  string
	cause  Cause
}

// systemErrors are those that a test can meet. What a configuration names and is not there, or is something else, is its
// own fault, whatever the kernel calls it: an administrator mends it in the file as often as beside it, and it stays
// until he does. What is there and cannot be had is the environment's.
var systemErrors = []systemError{
	{2, "No such file or directory", CauseConfiguration},
	{17, "File exists", CauseConfiguration},
	{20, "Not a directory", CauseConfiguration},
	{21, "Is a directory", CauseConfiguration},
	{22, "Invalid argument", CauseConfiguration},
	{36, "File name too long", CauseConfiguration},
	{40, "Too many levels of symbolic links", CauseConfiguration},

	{1, "Operation not permitted", CausePermission},
	{13, "Permission denied", CausePermission},
	{97, "Address family not supported by protocol", CauseAddress},
	{99, "Cannot assign requested address", CauseAddress},
	{98, "Address already in use", CausePortInUse},
	{28, "No space left on device", CauseSpace},
	{122, "Disk quota exceeded", CauseSpace},
	{23, "Too many open files in system", CauseDescriptors},
	{24, "Too many open files", CauseDescriptors},
	{30, "Read-only file system", CauseReadOnly},
	{11, "Resource temporarily unavailable", CauseMemory},
	{12, "Cannot allocate memory", CauseMemory},
	{105, "No buffer space available", CauseMemory},
	{5, "Input/output error", CauseIO},
	{116, "Stale file handle", CauseIO},
}

var (
	// failed is how nginx ends a message about a system call: "(13: Permission denied)".
	failed = regexp.MustCompile(`failed \((\d{1,4}): [^()]*\)$`)
	// lookup is a user or a group that is looked up; notFound are the numbers that the C library leaves where there is none
	// (getpwnam(3)).
	lookup   = regexp.MustCompile(`^(?:getpwnam|getgrnam)\(`)
	notFound = map[int]bool{0: true, 1: true, 2: true, 3: true, 9: true}
)

// causeOf says why a message makes a test fail. Only the worst levels do: nginx goes on after a warning.
func causeOf(level Level, text string) Cause {
	switch {
	case level == LevelStderr || level > LevelError:
		return CauseNone
	case strings.HasPrefix(text, "could not open error log file: "), strings.HasPrefix(text, "munmap("):
		// nginx goes on, or has given up already.
		return CauseNone
	case strings.HasPrefix(text, "host not found in "):
		// The name may be wrong as well, but the same file was right yesterday, and only the resolver knows.
		return CauseDNS
	case text == "still could not bind()":
		return CausePortInUse
	}

	found := failed.FindStringSubmatch(text)
	if found == nil {
		return causeInWords(text)
	}

	// No more than four digits.
	number, _ := strconv.Atoi(found[1])
	if lookup.MatchString(text) && notFound[number] {
		return CauseConfiguration
	}

	for _, known := range systemErrors {
		if known.number == number {
			return known.cause
		}
	}

	return CauseOther
}

// causeInWords looks for the kernel's words in the reasons that OpenSSL and the dynamic linker give, such as
// `cannot load certificate key "/x": BIO_new_file() failed (SSL: error:8000000D:system library::Permission denied:...)`.
func causeInWords(text string) Cause {
	_, reason, found := strings.Cut(text, " failed (")
	if !found {
		return CauseConfiguration
	}

	for _, known := range systemErrors {
		if strings.Contains(reason, known.words) {
			return known.cause
		}
	}

	return CauseConfiguration
}
