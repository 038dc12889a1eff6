#include <linux/slab.h>

static __attribute__((noinline)) long round_up(long size)
{
	page = 0;
	return fail("one") + (size | 7);
}

void *kmalloc_trace(long size)
{
	void *got = take(round_up(size));
	page = got;
	return got;
}

long use_first(long size)
{
	return round_up(size) + fail("first");
}
