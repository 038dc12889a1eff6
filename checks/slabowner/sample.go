package slabowner

// hash of an address, as the programs compute it. Whoever follows the addresses whose hash is not above a threshold decides alike for an allocation
// and its freeing without a look at a map, and may lower the threshold at any time.
func hash(address uint64) uint32 { return uint32((address >> hashShift) * hashFactor >> 32) }

const (
	// Addresses are multiples of 8.
	hashShift  = 3
	hashFactor = 0x9E3779B97F4A7C15
)

// The stack is walked of each object of 1 KiB and more, of which few are many bytes, and of one in 8 others, by their hash: so a group above the noise
// has more than 10 stacks in most cases, of which the most frequent is shown.
const (
	walkFrom  = 1 << 10
	walkOneIn = 8
	noStack   = -1
)
