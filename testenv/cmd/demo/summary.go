package main

import (
	"bytes"
	"encoding/json"
	"fmt"
	"strconv"
	"strings"
	"unicode/utf8"

	"zabbix-agent2-plugin-hosting/plugin/table"
)

// summary says on one line what a value holds: of JSON the fields or the first element, of text the first line.
func summary(value string) string {
	if json.Valid([]byte(value)) && strings.ContainsAny(value[:1], "{[") {
		return describe(json.RawMessage(value), true)
	}
	first, rest, more := strings.Cut(strings.TrimSpace(value), "\n")
	first = strings.Join(strings.Fields(first), " ")
	if more {
		return fmt.Sprintf("%s (and %d more lines)", first, strings.Count(rest, "\n")+1)
	}
	return first
}

// describe shortens what is nested in a JSON value to its size.
func describe(value json.RawMessage, top bool) string {
	decoder := json.NewDecoder(bytes.NewReader(value))
	decoder.UseNumber()
	token, err := decoder.Token()
	if err != nil {
		return string(value)
	}
	switch token {
	case json.Delim('['):
		var elements []json.RawMessage
		if err := json.Unmarshal(value, &elements); err != nil {
			return string(value)
		}
		text := fmt.Sprintf("[%d]", len(elements))
		if top && len(elements) > 0 {
			text += " " + describe(elements[0], true)
		}
		return text
	case json.Delim('{'):
		fields := describeFields(decoder)
		if top && len(fields) > 0 {
			return strings.Join(fields, ", ")
		}
		return fmt.Sprintf("{%d}", len(fields))
	case nil:
		return "null"
	}
	return fmt.Sprint(token)
}

// describeFields reads the fields of an object in their order, without those that tell people nothing: the schema's number, and times in Unix seconds.
func describeFields(decoder *json.Decoder) []string {
	var fields []string
	for decoder.More() {
		token, err := decoder.Token()
		if err != nil {
			return fields
		}
		var value json.RawMessage
		if err := decoder.Decode(&value); err != nil {
			return fields
		}
		if name := fmt.Sprint(token); name != "schema" && !strings.HasSuffix(name, "_at") {
			fields = append(fields, describeField(name, value))
		}
	}
	return fields
}

// describeField takes the unit from the name of a field.
func describeField(name string, value json.RawMessage) string {
	if base, found := strings.CutSuffix(name, "_bytes"); found {
		if n, err := strconv.ParseUint(string(value), 10, 64); err == nil {
			return base + " " + table.Bytes(n)
		}
	}
	if base, found := strings.CutSuffix(name, "_pct"); found {
		if p, err := strconv.ParseFloat(string(value), 64); err == nil {
			return base + " " + table.Percent(p)
		}
	}
	return name + " " + describe(value, false)
}

// shorten cuts text to a width in columns, and shows that it did.
func shorten(text string, width int) string {
	if utf8.RuneCountInString(text) <= width {
		return text
	}
	return strings.TrimRight(string([]rune(text)[:width-1]), " ,") + "…"
}

// wrap breaks text at spaces into lines of a width, longer only where a word is.
func wrap(text string, width int) []string {
	lines := []string{""}
	for word := range strings.FieldsSeq(text) {
		last := &lines[len(lines)-1]
		switch {
		case *last == "":
			*last = word
		case utf8.RuneCountInString(*last)+1+utf8.RuneCountInString(word) <= width:
			*last += " " + word
		default:
			lines = append(lines, word)
		}
	}
	return lines
}
