package keys

import (
	"context"
	"errors"
	"fmt"
	"io/fs"
	"regexp"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestEachKeyIsWhatAnAgentRegisters(t *testing.T) {
	t.Parallel()

	seen := make(map[string]bool)

	for _, k := range All() {
		t.Run(k.Name, func(t *testing.T) {
			t.Parallel()

			// The agents' own rules; a violation stops agent 7.0 for good.
			require.Regexp(t, regexp.MustCompile(`^[A-Za-z0-9._-]+$`), k.Name)
			require.Regexp(t, regexp.MustCompile(`^[A-Z].*\.$`), k.Description)

			name, parameters, err := ParseItemKey(k.Example())
			require.NoError(t, err)
			require.Equal(t, k.Name, name)
			require.NoError(t, k.CheckParams(parameters))
			require.ErrorContains(t, k.CheckParams(make([]string, len(k.Parameters)+1)),
				fmt.Sprintf("cannot evaluate %s: too many parameters; usage: %s", k.Name, k.Usage()))
		})

		require.False(t, seen[k.Name], "key %s stands there twice", k.Name)
		seen[k.Name] = true
	}

	require.Len(t, Metrics(), 2*len(seen))
}

func TestStateOf(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		err  error
		want CheckState
	}{
		"no error":                    {nil, StateOK},
		"a permission that lacks":     {fmt.Errorf("cannot read it: %w", fs.ErrPermission), StateNoPermission},
		"a file that does not exist":  {fmt.Errorf("cannot read it: %w", fs.ErrNotExist), StateNotSupported},
		"anything else is a failure":  {errors.New("cannot read it"), StateFailing},
		"a failure in the background": {context.DeadlineExceeded, StateFailing},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			require.Equal(t, test.want, StateOf(test.err))
		})
	}
}

func TestCheckStatesKeepTheirNumbers(t *testing.T) {
	t.Parallel()

	require.Equal(t, map[int]string{0: "not_run", 1: "ok", 2: "failing", 3: "no_permission", 4: "not_supported"}, CheckStates())
}

func TestUnknownKey(t *testing.T) {
	t.Parallel()

	_, err := NewChecks(newFixtureHost(t).options, fixedProcess{}, "").Evaluate(context.Background(), "hosting.slab", nil)
	require.EqualError(t, err, "cannot evaluate hosting.slab: there is no such key; see list-keys")
}
