#include <linux/slab.h>

void *leak_cache(long size);

__attribute__((section(".init.text"))) int init_module(void)
{
	int failed = leak_cache(32) == 0;
	page = 0;
	return failed + fail("init");
}
