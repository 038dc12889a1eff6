package keys

import (
	"testing"

	"github.com/stretchr/testify/require"
)

func TestParseItemKey(t *testing.T) {
	t.Parallel()

	tests := map[string]struct {
		text       string
		name       string
		parameters []string
		wantErr    string
	}{
		"a bare name":                         {text: "hosting.memory.get", name: "hosting.memory.get"},
		"empty brackets are one empty string": {text: "k[]", name: "k", parameters: []string{""}},
		"parameters":                          {text: "k[5,growth]", name: "k", parameters: []string{"5", "growth"}},
		"empty parameters":                    {text: "k[,,x]", name: "k", parameters: []string{"", "", "x"}},
		"spaces before a parameter":           {text: "k[ 5,  growth]", name: "k", parameters: []string{"5", "growth"}},
		"quoted parameters":                   {text: `k["a,b]","c\"d" , e]`, name: "k", parameters: []string{"a,b]", `c"d`, "e"}},
		"a missing bracket":                   {text: "k[5", wantErr: "the closing bracket is missing"},
		"an open quote":                       {text: `k["5]`, wantErr: "a quote is not closed"},
		"text behind a quote":                 {text: `k["5"x]`, wantErr: "something follows a closing quote"},
		"an array":                            {text: "k[[a,b]]", wantErr: "a bracket stands inside a parameter"},
		"no name":                             {text: "[5]", wantErr: "cannot read item key"},
		"two words":                           {text: "a b", wantErr: "cannot read item key"},
		"nothing":                             {text: "", wantErr: "cannot read item key"},
	}

	for name, test := range tests {
		t.Run(name, func(t *testing.T) {
			t.Parallel()

			name, parameters, err := ParseItemKey(test.text)
			if test.wantErr != "" {
				require.ErrorContains(t, err, test.wantErr)

				return
			}

			require.NoError(t, err)
			require.Equal(t, test.name, name)
			require.Equal(t, test.parameters, parameters)
		})
	}
}

func FuzzParseItemKey(f *testing.F) {
	f.Add(`hosting.slab.get[5,"growth"]`)
	f.Add(`k["\"",[`)

	f.Fuzz(func(t *testing.T, text string) {
		name, _, err := ParseItemKey(text)
		require.Equal(t, err != nil, name == "")
	})
}
