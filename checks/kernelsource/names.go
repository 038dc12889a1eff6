package kernelsource

// name is that of a file or a folder in a line table, and the folder that it is in.
type name struct {
	text      value
	directory uint64
}

// path is that of a file by its number.
func (o *object) path(t *table, number uint64) (string, error) {
	c := t.names

	if t.version < 5 {
		return t.oldPath(&c, number)
	}

	folders := c
	// Folders come first, and files behind them.
	if _, err := t.entry(&c, all); err != nil {
		return "", err
	}

	file, err := t.entry(&c, number)
	if err != nil {
		return "", err
	}

	texts := make([]string, 0, 3)

	// The first folder is the one that the compiler ran in.
	for _, n := range []uint64{0, file.directory} {
		at := folders

		folder, err := t.entry(&at, n)
		if err != nil {
			return "", err
		}

		text, err := o.textOf(folder.text)
		if err != nil {
			return "", err
		}

		texts = append(texts, text)
	}

	text, err := o.textOf(file.text)

	return join(append(texts, text)...), err
}

// all is no number of an entry: it goes behind the last one.
const all = ^uint64(0)

// entry reads the names up to one, of version 5: their forms, how many there are, and then they.
func (t *table) entry(c *cursor, number uint64) (n name, err error) {
	const contentPath, contentDirectory = 1, 2

	type field struct{ content, form uint64 }

	var fields []field

	for range c.number(1) {
		fields = append(fields, field{c.leb(), c.leb()})
	}

	total := c.leb()
	if number != all && number >= total {
		return n, errTable
	}

	for i := uint64(0); i < total && (number == all || i <= number); i++ {
		// Entries without any field would be as many as the table claims.
		if c.short || len(fields) == 0 {
			return n, errTable
		}

		for _, f := range fields {
			v, ok := c.value(f.form, t.offsetSize)

			switch {
			case !ok, f.form == formFlagPresent: // a field without a byte of its own could be repeated without end
				return n, errTable
			case f.content == contentPath:
				n.text = v
			case f.content == contentDirectory:
				n.directory = v.number
			}
		}
	}

	if c.short {
		return n, errTable
	}

	return n, nil
}

// oldPath is that of a file before version 5, where the names begin with 1, and the folder 0 is the one that the compiler ran in.
func (t *table) oldPath(c *cursor, number uint64) (string, error) {
	folders := []string{t.directory}

	for folder := c.text(); folder != ""; folder = c.text() {
		folders = append(folders, folder)
	}

	for i := uint64(1); !c.short; i++ {
		file := c.text()
		folder := c.leb()
		c.leb()
		c.leb()

		switch {
		case file == "":
			return "", errTable
		case i == number && folder < uint64(len(folders)):
			return join(t.directory, folders[folder], file), nil
		}
	}

	return "", errTable
}
