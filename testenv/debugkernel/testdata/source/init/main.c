#include <linux/slab.h>

void *kmalloc_trace(long size);
long use_first(long size), use_second(long size);
void *volatile page;

int fail(const char *why)
{
	page = (void *)why;
	return -1;
}

int start_kernel(void)
{
	void *got = kmalloc_trace(64);
	page = got;
	return use_first(1) + use_second(2);
}
