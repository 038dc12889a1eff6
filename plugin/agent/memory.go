package agent

import "runtime/debug"

const largeFrameBytes = 1 << 20

// releaseLarge gives the memory of a rare large frame back to the host at once: a monitoring process must not keep for
// itself what it needed for one answer.
func releaseLarge(f frame) {
	if len(f) >= largeFrameBytes {
		go debug.FreeOSMemory()
	}
}
