package kernels

import "os"

// emulated is in the environment of what the first process of a machine runs.
const emulated = "HOSTING_TEST_EMULATED"

// Emulated tells whether this is such a machine, where a test that only repeats something should do so less often.
func Emulated() bool { return os.Getenv(emulated) != "" }

// Environment is what tests are given in a machine.
func Environment() []string { return []string{"HOME=/tmp", "TMPDIR=/tmp", emulated + "=1"} }
