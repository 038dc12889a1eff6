package site_test

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/checks/site"
)

func TestStatusSetHasWhatItWasMadeOf(t *testing.T) {
	t.Parallel()

	for _, c := range []struct {
		text, shortest string
		has, lacks     []int
	}{
		{"200-399", "200-399", []int{200, 301, 399}, []int{100, 199, 400, 599}},
		{" 404 , 200 - 204,201-206", "200-206,404", []int{200, 206, 404}, []int{207, 403, 405}},
		{"100-599", "100-599", []int{100, 599}, []int{0, 99, 600, -1, 1 << 20}},
	} {
		t.Run(c.text, func(t *testing.T) {
			t.Parallel()

			set, err := site.ParseStatusSet(c.text)
			require.NoError(t, err)
			require.Equal(t, c.shortest, set.String())

			for _, status := range c.has {
				require.True(t, set.Has(status), status)
			}

			for _, status := range c.lacks {
				require.False(t, set.Has(status), status)
			}
		})
	}
}

func TestStatusSetRefusesWhatIsNoStatus(t *testing.T) {
	t.Parallel()

	for _, text := range []string{"", ",", "ok", "2xx", "99", "600", "300-200", "200-", "-200", "200--300", "200,,301", "99999999999999999999"} {
		_, err := site.ParseStatusSet(text)
		require.ErrorContains(t, err, "cannot use the statuses", text)
	}
}

func FuzzStatusSet(f *testing.F) {
	f.Add("200-299,301,404")
	f.Add(" 100 - 599 ")
	f.Fuzz(func(t *testing.T, text string) {
		set, err := site.ParseStatusSet(text)
		if err != nil {
			require.LessOrEqual(t, len(err.Error()), 4096)

			return
		}

		again, err := site.ParseStatusSet(set.String())
		require.NoError(t, err)
		require.Equal(t, set, again)
	})
}
