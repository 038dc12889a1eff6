package cli

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/cgroup"
	"zabbix-agent2-plugin-hosting/checks/kmemleak"
	"zabbix-agent2-plugin-hosting/checks/listener/watch"
	"zabbix-agent2-plugin-hosting/checks/slabowner"
	"zabbix-agent2-plugin-hosting/checks/slabunit"
	"zabbix-agent2-plugin-hosting/plugin/keys"
)

func TestTheDoctorSaysHowWellListenersAreWatched(t *testing.T) {
	t.Parallel()

	watching := watch.Coverage{State: watch.StateWatching}
	polling := watch.Coverage{State: watch.StatePolling, Reason: "cannot: why; what mends it", BlindS: 1.234}

	for name, test := range map[string]struct {
		events watch.Events
		want   finding
	}{
		"all of them":        {watch.Events{TCP: watching, UDP: watching, ForeignersKnown: true}, finding{OK: true, Found: "every listener is seen, even for a millisecond"}},
		"UDP is polled":      {watch.Events{TCP: watching, UDP: polling, ForeignersKnown: true}, finding{OK: true, Found: "every TCP listener is seen; UDP sockets are looked at every 1.2s (cannot: why; what mends it)"}},
		"nginx is not known": {watch.Events{TCP: watching, UDP: watching, ForeignersError: "cannot: why"}, finding{Less: true, Found: "every listener is seen, but not all that are nginx's are known: cannot: why"}},
		"all are polled":     {watch.Events{TCP: polling, UDP: polling}, finding{Less: true, Found: "sockets are looked at every 1.2s, and what listens for less may be missed: cannot: why; what mends it"}},
		"it is off":          {watch.Events{TCP: watch.Coverage{Reason: "the watch has not been started"}}, finding{Found: "the watch has not been started"}},
	} {
		t.Run(name, func(t *testing.T) {
			t.Parallel()
			require.Equal(t, test.want, listenerFinding(&test.events))
		})
	}
}

func TestTheDoctorSaysWhetherOwnersCanBeFound(t *testing.T) {
	t.Parallel()

	for state, want := range map[slabowner.State]finding{
		slabowner.StateNever:       {OK: true, Found: "they can be found; none were asked for yet"},
		slabowner.StateRunning:     {OK: true, Found: "they can be found; sessions until now: 3"},
		slabowner.StateDone:        {OK: true, Found: "they can be found; sessions until now: 3"},
		slabowner.StateUnsupported: {Less: true, Found: "cannot: why; what mends it"},
		slabowner.StateFailed:      {Found: "cannot: why", Mend: mendHelper},
	} {
		require.Equal(t, want, ownersFinding(&slabowner.Report{State: state, Sessions: 3, Sentence: "cannot: why; what mends it"}), state.String())
	}
}

func TestWhatAKernelDoesNotHaveIsNothingToMend(t *testing.T) {
	t.Parallel()

	require.Equal(t, finding{Less: true, Found: "not built in"}, kmemleakFinding(&kmemleak.Report{Reason: "not built in"}))
	require.Equal(t, finding{Less: true, Found: "it may be off"}, kmemleakFinding(&kmemleak.Report{Available: true, Reason: "it may be off"}))
	require.Equal(t, finding{OK: true, Found: "it lists 7 objects that nothing points to"}, kmemleakFinding(&kmemleak.Report{Available: true, Objects: 7}))

	require.Equal(t, markLess, unitsFinding(&keys.SlabReport{}).mark())
	require.Equal(t, finding{OK: true, Found: "all kernel memory is counted by unit; what of it is slab, only cgroup version 2 tells"},
		unitsFinding(&keys.SlabReport{Cgroups: &slabunit.Report{Reading: cgroup.Reading{CgroupVersion: 1}}}))
	require.Equal(t, finding{OK: true, Found: "it is counted"}, unitsFinding(&keys.SlabReport{Cgroups: &slabunit.Report{Reading: cgroup.Reading{CgroupVersion: 2}}}))
}

func TestAFindingIsMarkedByWhetherItMustBeMended(t *testing.T) {
	t.Parallel()

	require.Equal(t, []string{"ok", "--", "NO"}, []string{finding{OK: true}.mark(), finding{Less: true}.mark(), finding{}.mark()})
}
