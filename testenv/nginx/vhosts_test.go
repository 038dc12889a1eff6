package nginx

import (
	"net/http"
	"os"
	"path/filepath"
	"testing"

	"github.com/stretchr/testify/require"
)

func TestVirtualHostsOfEachShapeAreServed(t *testing.T) {
	for name, test := range map[string]struct {
		count int
		shape Shape
		files []string
	}{
		"ten thousand plain ones in one file":   {count: 10000, files: []string{"vhosts.conf"}},
		"with own logs in conf.d":               {count: 300, shape: Shape{Layout: ConfD, OwnLogs: true}, files: []string{"conf.d/v000299.test.conf", "logs/v000299.test.log"}},
		"with locations behind symbolic links":  {count: 300, shape: Shape{Layout: SitesEnabled, Locations: true}, files: []string{"sites-enabled/v000299.test.conf"}},
		"with TLS and FastCGI servers of own":   {count: 100, shape: Shape{Layout: ConfD, TLS: true, OwnFastCGI: true}, files: []string{"tls.pem"}},
		"with all that there is, in both files": {count: 100, shape: Shape{Layout: SitesEnabled, TLS: true, OwnLogs: true, Locations: true, OwnFastCGI: true}},
	} {
		t.Run(name, func(t *testing.T) {
			n := PrepareT(t, Options{})
			test.shape.Listen = n.Addr()
			for range 2 {
				lines, err := Vhosts(n.Dir(), test.count, test.shape)
				require.NoError(t, err)
				require.NoError(t, n.Configure(Options{HTTP: lines}))
			}
			page := filepath.Join(n.Dir(), "www", vhostName(test.count-1))
			require.NoError(t, os.MkdirAll(page, 0o755))
			require.NoError(t, os.WriteFile(filepath.Join(page, "page"), []byte("the last one"), 0o644))
			require.NoError(t, n.Start())

			request, err := http.NewRequest(http.MethodGet, n.URL()+"page", nil)
			require.NoError(t, err)
			request.Host = vhostName(test.count - 1)
			response, err := http.DefaultTransport.RoundTrip(request)
			require.NoError(t, err)
			require.NoError(t, response.Body.Close())
			require.Equal(t, 200, response.StatusCode)
			for _, file := range test.files {
				require.FileExists(t, filepath.Join(n.Dir(), file))
			}
		})
	}
}
