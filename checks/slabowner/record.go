package slabowner

const (
	maxLive   = 32_768
	maxStacks = 8_192
	maxFrames = 24
	maxCaches = 1_024
	nameSize  = 32
	commSize  = 16
	wordSize  = 8
)

// entry is one allocation that is followed, as the programs lay it out.
type entry struct {
	Size     uint64
	At       uint64 // CLOCK_MONOTONIC, in ns
	Cache    uint64 // the kernel's address of the cache; 0 for kmalloc
	CallSite uint64
	Cgroup   uint64
	Stack    int32
	TGID     uint32
	UID      uint32
	GFP      uint32
	Comm     [commSize]byte
}

// large lies in whole pages, in no cache, and is followed whatever its address.
func (e *entry) large(largest uint64) bool { return e.Cache == 0 && e.Size > largest }

const (
	entrySize = 72
	atSize    = 0
	atTime    = 8
	atCache   = 16
	atSite    = 24
	atCgroup  = 32
	atStack   = 40
	atTGID    = 44
	atUID     = 48
	atGFP     = 52
	atComm    = 56
)

// cacheInfo is what the programs have read of a cache. Followed is 0 for one that the kernel can reclaim.
type cacheInfo struct {
	Size     uint32
	Followed uint32
	Name     [nameSize]byte
}

const (
	cacheInfoSize = 40
	atCacheSize   = 0
	atFollowed    = 4
	atName        = 8
)

// counters are counted by each processor for itself.
type counters struct {
	Events   uint64 // allocations and freeings of all kinds
	Followed uint64 // once more where it replaced another
	Freed    uint64
	Full     uint64 // not followed, for there was no room
	NoStack  uint64
	Replaced uint64 // followed at an address whose freeing was not seen
}

const (
	countersSize = 48
	cEvents      = 0
	cFollowed    = 8
	cFreed       = 16
	cFull        = 24
	cNoStack     = 32
	cReplaced    = 40
)

// Where things lie on the stack of a program, which has 512 bytes.
const (
	fpKey    = -8
	fpIndex  = -16
	fpName   = -24
	fpNumber = -32
	fpInfo   = fpNumber - cacheInfoSize
	fpEntry  = fpInfo - entrySize
)
