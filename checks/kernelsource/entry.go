package kernelsource

import (
	"debug/dwarf"
	"fmt"
)

// Forms of values in DWARF (section 7.5.6 of DWARF 5) that the first entry of a unit may have.
const (
	formAddr        = 0x01
	formData2       = 0x05
	formData4       = 0x06
	formData8       = 0x07
	formString      = 0x08
	formData1       = 0x0b
	formFlag        = 0x0c
	formStrp        = 0x0e
	formUdata       = 0x0f
	formSecOffset   = 0x17
	formFlagPresent = 0x19
	formData16      = 0x1e
	formLineStrp    = 0x1f
	formImplicit    = 0x21
	formRnglistx    = 0x23
	formBlock       = 0x09
)

// entry reads an entry of .debug_info with the kinds that there are.
func (o *object) entry(c *cursor, kinds cursor, offsetSize uint64) (h unitHead, err error) {
	const wanted = 2

	if err := skipKinds(&kinds, c.leb()); err != nil {
		return h, err
	}

	found := 0

	for found < wanted {
		attribute, form := dwarf.Attr(kinds.leb()), kinds.leb()
		if attribute == 0 && form == 0 {
			break
		}

		if form == formImplicit {
			kinds.signed()

			continue
		}

		v, ok := c.value(form, offsetSize)
		if !ok || c.short || kinds.short {
			return h, fmt.Errorf("%w (form %#x)", errUnit, form)
		}

		switch attribute {
		case dwarf.AttrStmtList:
			h.lines = v.number
			found++
		case dwarf.AttrCompDir:
			if h.directory, err = o.textOf(v); err != nil {
				return h, err
			}

			found++
		default:
		}
	}

	if found == 0 {
		return h, errUnit
	}

	return h, nil
}

// skipKinds goes to the attributes of the kind with a number.
func skipKinds(kinds *cursor, number uint64) error {
	for !kinds.short {
		this := kinds.leb()
		kinds.leb()
		kinds.number(1)

		if this == number && number != 0 {
			return nil
		}

		for more := true; more && !kinds.short; {
			attribute, form := kinds.leb(), kinds.leb()
			if form == formImplicit {
				kinds.signed()
			}

			more = attribute != 0 || form != 0
		}
	}

	return errUnit
}

// value is a value of DWARF: a number, or a text that stands in place, or the place of one in a section of texts.
type value struct {
	form, number uint64
	text         string
}

// value reads a value of a form; ok tells that the form is known.
func (c *cursor) value(form, offsetSize uint64) (v value, ok bool) {
	v.form = form

	switch form {
	case formString:
		v.text = c.text()

		return v, true
	case formUdata, formRnglistx:
		v.number = c.leb()

		return v, true
	case formBlock:
		c.bytes(c.leb())

		return v, true
	}

	size, ok := fixedSize(form, offsetSize)
	if size == md5Size {
		c.bytes(size)
	} else {
		v.number = c.number(size)
	}

	return v, ok
}

// textOf is a value's text, wherever it stands.
func (o *object) textOf(v value) (string, error) {
	switch v.form {
	case formStrp:
		return o.text(".debug_str", v.number)
	case formLineStrp:
		return o.text(".debug_line_str", v.number)
	}

	return v.text, nil
}

const md5Size = 16

// fixedSize is that of a value whose form says it.
func fixedSize(form, offsetSize uint64) (size uint64, ok bool) {
	switch form {
	case formFlagPresent:
		return 0, true
	case formData1, formFlag:
		return 1, true
	case formData2:
		return 2, true
	case formData4:
		return 4, true
	case formData8, formAddr:
		return 8, true
	case formData16:
		return md5Size, true
	case formSecOffset, formStrp, formLineStrp:
		return offsetSize, true
	}

	return 0, false
}

// maxText is more than any name of a file has.
const maxText = 4 << 10

// text reads one text of a section of texts.
func (o *object) text(section string, at uint64) (string, error) {
	s, err := o.debug(section)
	if err != nil {
		return "", err
	}

	part, err := o.part(s, at, maxText)
	if err != nil {
		return "", err
	}

	c := cursor{rest: part, order: o.file.ByteOrder}

	text := c.text()
	if c.short {
		return "", errUnit
	}

	return text, nil
}
