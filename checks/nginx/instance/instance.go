// Package instance says which nginx instances a host has: the running ones by their master processes, the stopped ones
// by configuration, and of each what program, version and configuration file it is.
//
// Whoever runs a process chooses its title, so an instance is a hint until SafeToRun has seen its files.
package instance

import (
	"time"

	"zabbix-agent2-plugin-hosting/checks/enum"
	"zabbix-agent2-plugin-hosting/checks/nginx/tree"
)

const (
	// Masters beyond this many are counted only. Root's come first, so that nobody can hide them behind others.
	maxMasters = 64
	maxWorkers = 1024
	// maxName keeps the name of an instance fit for an item key.
	maxName = 200
)

// Configured is an instance that the administrator named.
type Configured struct {
	Name string
	// Binary and Config are absolute; Config and Prefix may be empty for what is compiled in.
	Binary string
	Config string
	Prefix string
}

// Instance is one nginx.
type Instance struct {
	// Name is the configured name, else the path of the configuration file, with "@" and the unit or container where
	// the instance has another root directory. It does not depend on what else runs.
	Name string
	// Configured says that the administrator named it.
	Configured bool
	// Binary is the program that a test runs: where the running one was deleted, the file now at its path.
	Binary string
	// Config and Prefix are absolute, in the instance's own root directory.
	Config string
	Prefix string
	// ConfigGuessed says that neither the title nor the program told the configuration file.
	ConfigGuessed bool
	// Arguments are those of the master's command line.
	Arguments Arguments
	// Build is what Binary is; nil where that could not be found out, and BuildError says why.
	Build      *Build
	BuildError string
	// Master is nil for an instance that does not run.
	Master *Master
	// OtherMasters run with the same configuration file, as during an upgrade of the program; at most 64.
	OtherMasters []int
	// Problems are sentences on what could not be read.
	Problems []string
}

// Master is the running master process of an instance.
type Master struct {
	PID int
	// StartedAt is exact to 10 ms as long as nobody sets the clock; with PID, StartTicks names the process for good.
	StartedAt  time.Time
	StartTicks uint64
	// Product is what the title says.
	Product Product
	// UID is who chose the title. Where Setuid is true, that is not root although it says so: anybody runs such a program with a title of his choice.
	UID    int
	Setuid bool
	// User is empty where the user has no name here, as in a container.
	User string
	// OpenFiles is the soft RLIMIT_NOFILE; 0 unknown.
	OpenFiles uint64
	// MountNS and NetNS are unknown to a caller without ptrace rights over the master.
	MountNS Namespace
	NetNS   Namespace
	Root    Root
	// Tree is where its files are looked at; the zero value where they are this process's own.
	Tree tree.Tree
	// Cgroup is the path in the unified or systemd's hierarchy, Unit its telling component, such as nginx.service.
	Cgroup string
	Unit   string
	// Container says that it runs in a container that this process is not in.
	Container bool
	// Deleted says that the running program's file is gone, as after an upgrade of its package, and Replaced that
	// another one is at its path.
	Deleted  bool
	Replaced bool
	// BinaryFromTitle says that /proc/PID/exe was not readable.
	BinaryFromTitle bool
	// ArgumentsCut says that the title had no room for the whole command line, so that the configuration file may be
	// another than Config: such an instance must be named in configuration to be tested.
	ArgumentsCut bool
	// Workers are sorted by age, oldest first.
	Workers        []Worker
	WorkersOmitted int
}

// Namespace is a namespace by its inode number (namespaces(7)).
type Namespace struct {
	ID uint64
	// Known is false where the number could not be read, Differs true where it is not this process's own.
	Known   bool
	Differs bool
}

// Root is a process's root directory.
type Root struct {
	// Dir is its path as this process sees it: "/" in a container too. Empty where it could not be read.
	Dir string
	// Differs says that it is another directory than this process's own: a container or a chroot.
	Differs bool
	Known   bool
}

// Worker is a child of a master.
type Worker struct {
	PID        int
	Kind       WorkerKind
	StartedAt  time.Time
	StartTicks uint64
}

// WorkerKind is what a child of a master does, by its title.
type WorkerKind int

// The kinds of children.
const (
	KindOther              WorkerKind = 0
	KindWorker             WorkerKind = 1
	KindWorkerShuttingDown WorkerKind = 2
	KindCacheManager       WorkerKind = 3
	KindCacheLoader        WorkerKind = 4
)

var kindNames = enum.Of[WorkerKind]("kind", "other", "worker", "worker_shutting_down", "cache_manager", "cache_loader")

// String is the name, such as "worker".
func (k WorkerKind) String() string { return kindNames.Name(k) }

// Found is what Finder.Find returns.
type Found struct {
	// Instances are sorted by name.
	Instances []Instance
	// Omitted counts the masters that were one too many.
	Omitted int
	// Problems are sentences on what kept instances from being found.
	Problems []string
}
