package views

import (
	"testing"

	"github.com/stretchr/testify/require"

	"zabbix-agent2-plugin-hosting/templates/api"
)

func TestWidgetsAreWrittenAsEachVersionWantsThem(t *testing.T) {
	t.Parallel()

	w := []widget{
		{
			kind: "tophosts", name: "Hosts", x: 36, y: 6, width: 36, height: 7,
			fields: []field{
				oneGroup("7"), number("order", 3), listed(text("name", "Host"), "columns", 0), listed(text("color", "E53935"), "columnsthresholds", 1, 2),
			},
		},
		{kind: "item", width: 12, height: 3, fields: []field{oneItem("9")}},
	}
	require.Equal(t, []api.Object{
		{
			"type": "tophosts", "name": "Hosts", "x": 36, "y": 6, "width": 36, "height": 7, "view_mode": 0,
			"fields": []api.Object{
				{"type": 2, "name": "groupids.0", "value": "7"}, {"type": 0, "name": "order", "value": 3},
				{"type": 1, "name": "columns.0.name", "value": "Host"}, {"type": 1, "name": "columnsthresholds.1.color.2", "value": "E53935"},
				{"type": 1, "name": "reference", "value": "HOSTA"},
			},
		},
		{
			"type": "item", "name": "", "x": 0, "y": 0, "width": 12, "height": 3, "view_mode": 0,
			"fields": []api.Object{{"type": 4, "name": "itemid.0", "value": "9"}, {"type": 1, "name": "reference", "value": "HOSTB"}},
		},
	}, encode(w, false))
	require.Equal(t, []api.Object{
		{
			"type": "tophosts", "name": "Hosts", "x": 12, "y": 6, "width": 12, "height": 7, "view_mode": 0,
			"fields": []api.Object{
				{"type": 2, "name": "groupids", "value": "7"}, {"type": 0, "name": "order", "value": 3},
				{"type": 1, "name": "columns.name.0", "value": "Host"}, {"type": 1, "name": "columnsthresholds.color.1.2", "value": "E53935"},
			},
		},
		{
			"type": "item", "name": "", "x": 0, "y": 0, "width": 4, "height": 3, "view_mode": 0,
			"fields": []api.Object{{"type": 4, "name": "itemid", "value": "9"}},
		},
	}, encode(w, true))
}

// Each name by which widgets find items is that of an item of our templates: their test is in templates.
func TestEveryPlaceIsAMultipleOfAColumnOf60(t *testing.T) {
	t.Parallel()

	for _, w := range append(fleetWidgets("Fleet", "7", nil, false), serverWidgets("web1", "7", nil)...) {
		require.Zero(t, w.x%columnsPer60, w.name)
		require.Zero(t, w.width%columnsPer60, w.name)
	}
}
