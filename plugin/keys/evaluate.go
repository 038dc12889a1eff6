package keys

import (
	"context"
	"fmt"
	"io/fs"
	"strconv"
	"time"

	"zabbix-agent2-plugin-hosting/checks/slab"
	"zabbix-agent2-plugin-hosting/plugin/table"
)

var errNoSUnreclaim = fmt.Errorf("cannot tell SUnreclaim: /proc/meminfo has no such line; a kernel from 2.6.19 on has it: %w",
	fs.ErrNotExist)

const (
	modeBytes = "bytes"
	modePused = "pused"
)

func evaluateMemory(_ context.Context, c *Checks, _ map[string]string) (any, error) {
	info, err := c.memory.Read()
	if err != nil {
		return nil, err
	}

	return info.Report(), nil
}

func evaluateSunreclaim(_ context.Context, c *Checks, values map[string]string) (any, error) {
	info, err := c.memory.Read()
	if err != nil {
		return nil, err
	}

	bytes, ok := info.Bytes("SUnreclaim")
	if !ok {
		return nil, errNoSUnreclaim
	}

	if values["mode"] == modePused {
		return strconv.FormatFloat(info.Percent(bytes), 'f', 4, 64), nil
	}

	return strconv.FormatUint(bytes, 10), nil
}

func evaluateSlab(ctx context.Context, c *Checks, values map[string]string) (any, error) {
	report, err := c.slabReport(values)
	if err != nil {
		return nil, err
	}

	return SlabReport{Report: report, Cgroups: c.cgroups.get(ctx)}, nil
}

func (c *Checks) slabReport(values map[string]string) (*slab.Report, error) {
	c.slabAskedAt.Store(time.Now().UnixNano())

	order, err := slab.ParseSort(values["sort"])
	if err != nil {
		return nil, err
	}

	return c.slab.Get(count(values), order)
}

func evaluateSlabTop(_ context.Context, c *Checks, values map[string]string) (any, error) {
	report, err := c.slabReport(values)
	if err != nil {
		return nil, err
	}

	return table.Slab(report), nil
}

func evaluateSlabDiscovery(_ context.Context, c *Checks, values map[string]string) (any, error) {
	c.slabAskedAt.Store(time.Now().UnixNano())

	return c.slab.Discover(count(values))
}

// count returns the parameter n, which the key's declaration has found to be a number.
func count(values map[string]string) int {
	n, err := strconv.Atoi(values["n"])
	if err != nil {
		return 0
	}

	return n
}
