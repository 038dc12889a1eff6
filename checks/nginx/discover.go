package nginx

import "context"

// Discovered is a row of hosting.nginx.discovery.
type Discovered struct {
	Instance string `json:"{#INSTANCE}"`
	Config   string `json:"{#CONFIG}"`
	Binary   string `json:"{#BINARY}"`
	Product  string `json:"{#PRODUCT}"`
	// Trusted and Container are "1" or "0": anybody may call a process nginx and so make an instance, and containers come and go.
	Trusted   string `json:"{#TRUSTED}"`
	Container string `json:"{#CONTAINER}"`
}

// Discover returns a row for each instance in the order of their names, and never nil.
func (m *Monitor) Discover(ctx context.Context) ([]Discovered, error) {
	found, err := m.find(ctx)
	if err != nil {
		return nil, err
	}

	rows := make([]Discovered, len(found.Instances))
	for at, i := range found.Instances {
		rows[at] = Discovered{
			Instance: i.Name, Config: i.Config, Binary: i.Binary, Product: productText(&i), Trusted: flag(i.Trusted()), Container: flag(i.InContainer()),
		}
	}

	return rows, nil
}

func flag(is bool) string {
	if is {
		return "1"
	}

	return "0"
}
