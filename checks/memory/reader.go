// Package memory reads /proc/meminfo and says where the RAM is that no process owns: the kernel's own shares of it,
// and the part that no counter of the kernel explains.
package memory

import (
	"fmt"
	"path/filepath"
	"sync"

	"zabbix-agent2-plugin-hosting/checks/procfile"
)

// Reader reads meminfo time after time through one buffer. It is safe for concurrent use.
type Reader struct {
	path string

	mu     sync.Mutex
	buffer []byte
	names  []string
}

// NewReader reads below procPath, on a real system "/proc".
func NewReader(procPath string) *Reader {
	return &Reader{path: filepath.Join(procPath, "meminfo")}
}

// Read reads the file as it is now.
func (r *Reader) Read() (*Meminfo, error) {
	m := &Meminfo{}
	if err := r.ReadInto(m); err != nil {
		return nil, err
	}

	return m, nil
}

// ReadInto is Read for a caller that keeps its Meminfo: it allocates next to nothing while the file's fields stay
// the same. After an error m holds no field.
func (r *Reader) ReadInto(m *Meminfo) error {
	r.mu.Lock()
	defer r.mu.Unlock()

	var err error

	r.buffer, err = procfile.Read(r.path, r.buffer)
	if err != nil {
		*m = Meminfo{}

		return fmt.Errorf("cannot read %s: %w; mount proc there and let this user read it", r.path, err)
	}

	if m.names == nil {
		m.names = r.names
	}

	m.parse(r.buffer)
	r.names = m.names

	if len(m.values) == 0 {
		return fmt.Errorf("cannot understand %s: it holds no field; mount proc there", r.path)
	}

	return nil
}
