package cgroup

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestTheCgroupAndTheUnitOfAProcess(t *testing.T) {
	t.Parallel()

	for text, want := range map[string]struct{ path, unit string }{
		"0::/system.slice/nginx.service\n":                                             {"/system.slice/nginx.service", "nginx.service"},
		"4:memory:/x\n1:name=systemd:/user.slice/user-0.slice/session-1.scope\n0::/\n": {"/user.slice/user-0.slice/session-1.scope", "session-1.scope"},
		"0::/user.slice/user-1000.slice/user@1000.service/app.slice/a.service\n":       {"/user.slice/user-1000.slice/user@1000.service/app.slice/a.service", "a.service"},
		"0::/system.slice/docker-1.scope/inner:a\n":                                    {"/system.slice/docker-1.scope/inner:a", "docker-1.scope"},
		"0::/\n":          {"/", ""},
		"":                {"/", ""},
		"nonsense":        {"/", ""},
		"0::relative":     {"relative", ""},
		"0::/init.scope":  {"/init.scope", "init.scope"},
		"1:name=systemd:": {"", ""},
	} {
		path := ParseProcess([]byte(text))
		require.Equal(t, want.path, path, text)
		require.Equal(t, want.unit, UnitOf(path), text)
	}
}

func FuzzProcess(f *testing.F) {
	f.Add([]byte("0::/system.slice/nginx.service\n"))
	f.Add([]byte("1:name=systemd:/a\n0::/b\n"))

	f.Fuzz(func(t *testing.T, data []byte) {
		path := ParseProcess(data)
		require.LessOrEqual(t, len(UnitOf(path)), len(path))
	})
}
