package leak

import (
	"context"
	"fmt"
	"os"
	"os/exec"
	"path/filepath"
)

// filesAtOnce is how many files there are before they are removed.
const filesAtOnce = 100

// WorkWithoutLeak starts programs and makes files in dir, as people and their cron jobs do, until it is told to end.
func WorkWithoutLeak(ctx context.Context, dir string) {
	path := func(number int) string { return filepath.Join(dir, fmt.Sprint(number)) }

	for i := 0; ctx.Err() == nil; i++ {
		// What is ended in its midst is as good.
		_ = exec.CommandContext(ctx, "/bin/sh", "-c", "ls -lR /usr/share >"+path(i%filesAtOnce)).Run()

		if i%filesAtOnce == filesAtOnce-1 {
			for old := range filesAtOnce {
				_ = os.Remove(path(old))
			}
		}
	}
}
