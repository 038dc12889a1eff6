package kernelcost

import "time"

const (
	batches  = 100
	perBatch = 50
)

// Loop is a Load's Do that does one thing over and over, in batches. The time is that of the batch which others on the machine disturbed least, for all.
func Loop(clock func() time.Duration, one func()) func() (spent time.Duration, units int) {
	return func() (time.Duration, int) {
		var least time.Duration

		for batch := range batches {
			began := clock()

			for range perBatch {
				one()
			}

			if took := clock() - began; batch == 0 || took < least {
				least = took
			}
		}

		return batches * least, batches * perBatch
	}
}
