package sandbox

import (
	"fmt"
	"os"
	"testing"
)

const (
	// fakeVariable has this program act as an nginx that does what its value says, instead of testing.
	fakeVariable = "SANDBOX_TEST_FAKE"
	// insideVariable is set in a child of a test, which runs the same test under other circumstances.
	insideVariable = "SANDBOX_TEST_INSIDE"
	// binaryVariable is the nginx to test with in such a child, which cannot unpack one.
	binaryVariable = "SANDBOX_TEST_BINARY"
	suiteVariable  = "SANDBOX_TEST_SUITE"
	// otherWordsVariable is set where the nginx may say things in other words than the cases tell.
	otherWordsVariable = "SANDBOX_TEST_OTHER_WORDS"
	modulesVariable    = "SANDBOX_TEST_MODULES"
	// helperVariable is set where a test is made by another process, which has only the rights of the root helper.
	helperVariable = "SANDBOX_TEST_HELPER"
)

func TestMain(m *testing.M) {
	if fake := os.Getenv(fakeVariable); fake != "" {
		act, known := fakes[fake]
		if !known {
			fmt.Println("no such fake:", fake)
			os.Exit(2)
		}
		act()
		os.Exit(0)
	}
	os.Exit(m.Run())
}
