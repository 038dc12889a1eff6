package procfile

import "math/bits"

// Uint reads a decimal number that is nothing but digits and fits 64 bits.
func Uint(digits []byte) (value uint64, ok bool) {
	for _, c := range digits {
		digit := uint64(c - '0')
		if digit > 9 {
			return 0, false
		}

		high, low := bits.Mul64(value, 10)

		sum, carry := bits.Add64(low, digit, 0)
		if high != 0 || carry != 0 {
			return 0, false
		}

		value = sum
	}

	return value, len(digits) > 0
}

// surelyFit is how many decimal digits never exceed 64 bits.
const surelyFit = 19

// Number reads spaces and then digits from offset at on, and returns the offset behind them. It is the fast path of
// the parsers: where it finds no digit, or so many that they might not fit, it returns the end of the data, and the
// caller looks at the line with more care.
func Number(data []byte, at int) (value uint64, next int) {
	for at < len(data) && data[at] == ' ' {
		at++
	}

	first := at
	for at < len(data) {
		digit := data[at] - '0'
		if digit > 9 {
			break
		}

		value = value*10 + uint64(digit)
		at++
	}

	if at == first || at-first > surelyFit {
		return 0, len(data)
	}

	return value, at
}
