/* Two words that a program shares with whoever watches its state file: it sets each while it is busy. They lie in the file that
 * $IDLE_MARKS names; a program that nobody watches has none.
 */
#ifndef MARKS_H
#define MARKS_H

#include <fcntl.h>
#include <stdatomic.h>
#include <stdio.h>
#include <stdlib.h>
#include <sys/mman.h>
#include <unistd.h>

struct marks {
	/* The program has begun, so libidle has too. */
	atomic_int begun;
	/* What is to be watched is over: from now on it may come to rest. */
	atomic_int over;
};

#define IDLE_MARKS "IDLE_MARKS"

static inline void fail(const char *what)
{
	perror(what);
	exit(2);
}

/* The words; the file is made if it is missing. */
static inline struct marks *find_marks(void)
{
	static struct marks unwatched;
	const char *path = getenv(IDLE_MARKS);
	if (!path)
		return &unwatched;
	int fd = open(path, O_RDWR | O_CREAT | O_CLOEXEC, 0600);
	if (fd < 0 || ftruncate(fd, sizeof(struct marks)) != 0)
		fail(path);
	void *at = mmap(NULL, sizeof(struct marks), PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
	if (at == MAP_FAILED)
		fail("mmap");
	close(fd);
	return at;
}

#endif
