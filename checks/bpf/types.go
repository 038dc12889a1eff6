// Package bpf is what the checks have in common that run programs in the kernel: where the kernel keeps what they read, which rights they need, and the
// instructions of which they are made.
package bpf

import (
	"fmt"

	"github.com/cilium/ebpf/btf"
)

// Field is a member of a struct: its place in bytes, and which bits of the byte are its own where it has not the whole.
type Field struct {
	Offset int32
	Mask   byte
}

// AnySize stands for a size that does not matter.
const AnySize = -1

// Find looks into the kernel's own description of its types for a member of a struct and the size that a program reads; 0 stands for less than a byte.
func Find(kernel *btf.Spec, structure, name string, size int) (Field, error) {
	var in *btf.Struct
	if err := kernel.TypeByName(structure, &in); err != nil {
		return Field{}, fmt.Errorf("struct %s: %w", structure, err)
	}

	base, found := MemberOf(in.Members, name)
	if found == nil {
		return Field{}, fmt.Errorf("struct %s has no %s", structure, name)
	}

	bits := base + found.Offset

	if size == 0 {
		if found.BitfieldSize != 1 {
			return Field{}, fmt.Errorf("%s of struct %s is not one bit", name, structure)
		}

		return Field{Offset: int32(bits / 8), Mask: byte(1) << (bits % 8)}, nil
	}

	actual, err := btf.Sizeof(found.Type)
	if err != nil || found.BitfieldSize != 0 || size != AnySize && actual != size {
		return Field{}, fmt.Errorf("%s of struct %s has not %d bytes", name, structure, size)
	}

	return Field{Offset: int32(bits / 8)}, nil
}

// MemberOf also looks into the members that have no name of their own. Base is where the struct begins that has it.
func MemberOf(members []btf.Member, name string) (base btf.Bits, found *btf.Member) {
	for i, m := range members {
		if m.Name == name {
			return 0, &members[i]
		}

		if m.Name != "" {
			continue
		}

		var inner []btf.Member

		switch t := btf.UnderlyingType(m.Type).(type) {
		case *btf.Struct:
			inner = t.Members
		case *btf.Union:
			inner = t.Members
		}

		if deeper, found := MemberOf(inner, name); found != nil {
			return m.Offset + deeper, found
		}
	}

	return 0, nil
}

// Arguments are those of a tracepoint's program, by the kernel's name of their type, such as btf_trace_kfree. The first is the kernel's own.
func Arguments(types *btf.Spec, name string) ([]btf.Type, error) {
	var probe *btf.Typedef
	if err := types.TypeByName(name, &probe); err != nil {
		return nil, fmt.Errorf("%s: %w", name, err)
	}

	pointer, ok := probe.Type.(*btf.Pointer)
	if !ok {
		return nil, fmt.Errorf("%s is no function", name)
	}

	function, ok := pointer.Target.(*btf.FuncProto)
	if !ok {
		return nil, fmt.Errorf("%s is no function", name)
	}

	all := make([]btf.Type, len(function.Params))
	for i, parameter := range function.Params {
		all[i] = parameter.Type
	}

	return all, nil
}

// PointsTo tells whether a type is a pointer to the struct of that name.
func PointsTo(t btf.Type, name string) bool {
	pointer, ok := t.(*btf.Pointer)
	if !ok {
		return false
	}

	s, ok := btf.UnderlyingType(pointer.Target).(*btf.Struct)

	return ok && s.Name == name
}
