package watch

import "slices"

// isOurs says whether the plugin itself opened the socket.
func (b *book) isOurs(by *opener) bool { return b.own != 0 && b.descends(by, []int{b.own}) }

// descends says whether the opener is one of the processes or below one, all of which are alive.
func (b *book) descends(by *opener, from []int) bool {
	for _, task := range by.tasks {
		if slices.Contains(from, task.PID) {
			return true
		}
	}

	// Further up than the kernel told, if there is anything. A process may also have lost its parents since.
	last := len(by.tasks) - 1

	return last == maxParents && by.tasks[last].PID != 1 && b.reader.DescendsFrom(by.tasks[last].PID, from)
}
