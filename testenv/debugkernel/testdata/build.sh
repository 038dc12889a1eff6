#!/bin/sh
# Builds what stands beside it: build.sh NAME DWARF-VERSION [PREFIX], for instance build.sh arm64-dwarf5 5 aarch64-linux-gnu-
set -eu
cd "$(dirname "$0")/source"
out=$(mktemp -d)
trap 'rm -rf "$out"' EXIT
mkdir -p "../$1"

for file in init/main.c mm/slab_common.c mm/util.c mm/swap.c drivers/leakmod.c drivers/leakmod_init.c; do
	"${3-}gcc-12" "-gdwarf-$2" -O2 -ffreestanding -fno-pic -fno-stack-protector -fno-asynchronous-unwind-tables -freorder-blocks-and-partition \
		-I include "-ffile-prefix-map=$PWD=/build/linux-6.1" -c "$file" -o "$out/$(basename "$file" .c).o"
done

"${3-}ld" --build-id -e start_kernel -z noexecstack -o "../$1/vmlinux" "$out/main.o" "$out/slab_common.o" "$out/util.o" "$out/swap.o"
"${3-}ld" -r --build-id -o "../$1/leakmod.ko" "$out/leakmod.o" "$out/leakmod_init.o"

# lines FILE SECTION FUNCTIONS MODULE: what binutils say of every fourth place in functions, the frame and the line of the call before it. The section is of a
# module, in which each begins at 0. Of two functions that only their sizes could tell apart, which are equal, nothing is known.
lines() {
	"${prefix}nm" -S "$1" | sort | grep -E " [tT] ($3)\$" | while read -r address size _ function; do
		offset=4
		while [ $offset -le $((0x$size)) ]; do
			line=$("${prefix}addr2line" -e "$1" ${2:+-j "$2"} "$(printf %x $((0x$address + offset - 1)))" | sed 's/ (disc.*//; s,^/build/linux-6.1/,,')
			if [ "$function" = same_size ]; then line=; fi
			printf '%s+0x%x/0x%x%s\t%s\n' "$function" $offset $((0x$size)) "$4" "$line"
			offset=$((offset + 4))
		done
	done
}

prefix=${3-}
{
	lines "../$1/vmlinux" '' '.*' ''
	lines "../$1/leakmod.ko" .text leak_cache ' [leakmod]'
	lines "../$1/leakmod.ko" .text.unlikely leak_cache.cold ' [leakmod]'
	lines "../$1/leakmod.ko" .init.text init_module ' [leakmod]'
	lines "../$1/leakmod.ko" .exit.text cleanup_module ' [leakmod]'
} >"../$1/lines.txt"
