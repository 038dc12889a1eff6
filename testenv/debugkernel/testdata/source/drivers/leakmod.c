#include <linux/slab.h>

void *kmalloc_trace(long size);

void *leak_cache(long size)
{
	void *got = kmalloc_trace(size);
	page = got;
	return take(size);
}

/* The first function of its section, as leak_cache is of another. */
__attribute__((section(".exit.text"))) void cleanup_module(void)
{
	page = kmalloc_trace(1);
	page = kmalloc_trace(2);
}
