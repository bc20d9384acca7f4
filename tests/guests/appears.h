/* A loop that asks whether there is such a file until a sleeping thread makes it. */
#ifndef APPEARS_H
#define APPEARS_H

#include "guest.h"
#include <sys/stat.h>

static char path[64];

static void *maker(void *unused)
{
	nap(1.3);
	int fd = creat(path, 0600);
	MUST(fd >= 0);
	close(fd);
	return unused;
}

/* Asks by `call`; then `tells` says how long it took. */
#define UNTIL_IT_APPEARS(call, tells) \
	do { \
		start(); \
		pthread_t t = thread(maker, NULL); \
		while ((call) != 0) \
			MUST(errno == ENOENT); \
		tells; \
		join(t); \
		MUST(unlink(path) == 0); \
	} while (0)

#endif
