package apart

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestATestThatDoesNotRunIsNotTakenForOneThatPasses(t *testing.T) {
	t.Parallel()

	_, err := run("TestThatDoesNotExist", Place{})
	require.ErrorContains(t, err, "cannot tell that TestThatDoesNotExist passed")
}

func TestAFailureInTheProcessOfItsOwnIsToldWithWhatItPrinted(t *testing.T) {
	t.Parallel()

	if Here() {
		t.Fatal("a failure on purpose")
	}

	output, err := run(t.Name(), Place{})
	require.ErrorContains(t, err, "cannot pass "+t.Name())
	require.Contains(t, output, "a failure on purpose")
}
