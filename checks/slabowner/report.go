package slabowner

import "zabbix-agent2-plugin-hosting/checks/enum"

// schema is raised when a field of the payload changes its meaning.
const schema = 1

// State is how the last session went. Numbers are stable: templates map them to names.
type State int

// The states of a session.
const (
	StateNever       State = 0 // there was none yet
	StateRunning     State = 1
	StateDone        State = 2
	StateCutShort    State = 3 // it cost more than it may, or was told to end
	StateUnsupported State = 4
	StateFailed      State = 5
)

// States returns the value map of State.
func States() map[int]string { return stateNames.All() }

var stateNames = enum.Of[State]("state", "never", "running", "done", "cut_short", "unsupported", "failed")

func (s State) String() string { return stateNames.Name(s) }

// Report is the payload of hosting.slab.owners: who allocated, during one session, slab memory that was not freed by its end.
type Report struct {
	Schema    int    `json:"schema"`
	State     State  `json:"state"`
	StateName string `json:"state_name"`
	// Sentence says why there is no result, or not a whole one.
	Sentence string `json:"sentence"`
	// Sessions counts those of this process.
	Sessions uint64 `json:"sessions"`
	// StartedAt, DurationS and all that follows are of the last session that has a result, also while another runs.
	StartedAt float64 `json:"started_at,omitempty"`
	AgeS      float64 `json:"age_s,omitempty"`
	DurationS float64 `json:"duration_s,omitempty"`
	// OneIn is which share of the addresses was followed. What lies in no cache was followed whole.
	OneIn float64 `json:"one_in,omitempty"`
	// CostPct is what the host's processors spent on it, estimated.
	CostPct float64 `json:"cost_pct"`
	Events  uint64  `json:"events"`
	// NotFollowed did not fit; NoStack have a call site, but a stack that could not be kept.
	NotFollowed uint64 `json:"not_followed"`
	NoStack     uint64 `json:"no_stack"`
	// BulkFreeings says that freeings of many objects at once were seen, too.
	BulkFreeings bool `json:"bulk_freeings"`

	SUnreclaimGrowthBytes   int64  `json:"sunreclaim_growth_bytes"`
	UnattributedGrowthBytes *int64 `json:"unattributed_growth_bytes,omitempty"`

	// Owners are those with the most bytes outstanding, above the noise and in a cache that has grown.
	Owners        []Owner `json:"owners"`
	OwnersOmitted int     `json:"owners_omitted"`
	// Doubtful are groups above the noise whose cache has not grown as much, as their freeings were missed, and connections that end by themselves.
	Doubtful      int    `json:"doubtful"`
	DoubtfulBytes uint64 `json:"doubtful_bytes"`
	// SourceReason says why lines are missing in the owners' Source.
	SourceReason string `json:"source_reason,omitempty"`

	Problems []string `json:"problems,omitempty"`
}

// Owner is one code path of one program that allocated.
type Owner struct {
	Rank int `json:"rank"`
	// Sentence is for people.
	Sentence string `json:"sentence"`
	Cache    string `json:"cache"`
	// Aliases are merged with the cache: it holds their objects too, and may have another's name.
	Aliases []string `json:"aliases"`
	// Large says that it lies in whole pages, in no cache.
	Large   bool   `json:"large"`
	Process string `json:"process"`
	// PIDs are the first few of Processes.
	PIDs      []int  `json:"pids"`
	Processes int    `json:"processes"`
	UID       int    `json:"uid"`
	Cgroup    string `json:"cgroup,omitempty"`
	// CallSite is the function that asked for the memory, Stack who called it, innermost first.
	CallSite string   `json:"call_site"`
	Stack    []string `json:"stack"`
	// CallSiteSource and Source are their lines in the kernel's source, "net/core/sock.c:2083", as far as they are known; absent where none is.
	CallSiteSource string   `json:"call_site_source,omitempty"`
	Source         []string `json:"source,omitempty"`
	// Bytes and Objects are outstanding, estimated; ErrorPct is how far off the truth is at most, in 95 of 100 sessions.
	Bytes            uint64  `json:"bytes"`
	Objects          uint64  `json:"objects"`
	ErrorPct         float64 `json:"error_pct"`
	Tracked          int     `json:"tracked"`
	CacheGrowthBytes *int64  `json:"cache_growth_bytes,omitempty"`
	OldestS          float64 `json:"oldest_s"`
}

// First has the first n owners, and counts the others as omitted. Slices of the owners are shared.
func (r *Report) First(n int) *Report {
	c := *r
	shown := min(max(n, 0), len(r.Owners))
	c.Owners = append([]Owner{}, r.Owners[:shown]...)
	c.OwnersOmitted = r.OwnersOmitted + len(r.Owners) - shown

	return &c
}
