/* A library with the names of libidle.so's calls that counts them. */
#include <stdio.h>

static unsigned counts[4];

#define CALL(name, index) \
	void name(void); \
	void name(void) { __atomic_fetch_add(&counts[index], 1, __ATOMIC_RELAXED); }

CALL(libidle_enable_forced_idle, 0)
CALL(libidle_disable_forced_idle, 1)
CALL(libidle_enable_forced_busy, 2)
CALL(libidle_disable_forced_busy, 3)

__attribute__((destructor)) static void end(void)
{
	printf("idle %u %u busy %u %u\n", counts[0], counts[1], counts[2], counts[3]);
}
