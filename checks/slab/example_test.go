package slab_test

import (
	"fmt"

	"zabbix-agent2-plugin-hosting/checks/slab"
)

func ExampleReader() {
	s, err := slab.NewReader("testdata/6.12", "testdata/6.12", nil).Read()
	if err != nil {
		fmt.Println(err)

		return
	}

	for _, c := range s.Caches {
		if c.Slabs > 1000 {
			fmt.Printf("%s: %d slabs of %d pages\n", c.Name, c.Slabs, c.PagesPerSlab)
		}
	}
	// Output:
	// ext4_inode_cache: 1920 slabs of 8 pages
	// dentry: 3284 slabs of 1 pages
}
