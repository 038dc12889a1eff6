package keys

import (
	"fmt"
	"slices"
	"strconv"
	"strings"
)

// Allowed tells which values a parameter may have. It is a validator of the SDK's metric package.
type Allowed interface {
	Validate(value *string) error
	String() string
}

type oneOf []string

func (o oneOf) Validate(value *string) error {
	if value == nil || slices.Contains(o, *value) {
		return nil
	}

	return fmt.Errorf("%q is not one of %s", *value, o)
}

func (o oneOf) String() string { return strings.Join(o, ", ") }

type wholeNumber struct{ min, max int }

func (w wholeNumber) Validate(value *string) error {
	if value == nil {
		return nil
	}

	if n, err := strconv.Atoi(*value); err != nil || n < w.min || n > w.max {
		return fmt.Errorf("%q is not %s", *value, w)
	}

	return nil
}

func (w wholeNumber) String() string {
	return fmt.Sprintf("a whole number from %d to %d", w.min, w.max)
}

// valid is a value that a function finds valid.
type valid struct {
	words string
	check func(string) bool
}

func (v valid) Validate(value *string) error {
	if value == nil || v.check(*value) {
		return nil
	}

	return fmt.Errorf("%q is not %s", *value, v)
}

func (v valid) String() string { return v.words }
