#include <linux/slab.h>

/* The same name as in slab_common.c, and much larger. */
static __attribute__((noinline)) long round_up(long size)
{
	long sum = 0;
	sum += fail("a") * size;
	page = (void *)sum;
	sum += fail("b") / (size + 3);
	page = (void *)sum;
	sum += fail("c") * size;
	page = (void *)sum;
	sum += fail("d") / (size + 5);
	page = (void *)sum;
	return sum;
}

long use_second(long size)
{
	return round_up(size) + fail("second");
}

static __attribute__((noinline)) long same_size(long size) { return fail("u") + size; }

long use_third(long size)
{
	return same_size(size) + fail("third");
}
