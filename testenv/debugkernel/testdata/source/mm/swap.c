#include <linux/slab.h>

static __attribute__((noinline)) long same_size(long size) { return fail("s") + size; }

long use_fourth(long size)
{
	return same_size(size) + fail("fourth");
}
