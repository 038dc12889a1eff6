package contract

import "zabbix-agent2-plugin-hosting/templates/export"

// checkGrid tells whether the widgets of a page stay within the grid and do not cover each other.
func (c *check) checkGrid(dashboard string, page export.Page) {
	columns := export.Cells(72)
	if c.file.Version == "6.0" {
		columns = 24
	}

	for i, w := range page.Widgets {
		if w.Width < 1 || w.Height < 1 || w.X+w.Width > columns {
			c.report("dashboard %s: widget %q leaves the grid of %d columns", dashboard, w.Name, columns)
		}

		for _, other := range page.Widgets[:i] {
			if w.X < other.X+other.Width && other.X < w.X+w.Width && w.Y < other.Y+other.Height && other.Y < w.Y+w.Height {
				c.report("dashboard %s: widgets %q and %q cover each other", dashboard, w.Name, other.Name)
			}
		}
	}
}
