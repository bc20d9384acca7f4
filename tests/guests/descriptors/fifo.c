/* open(2) of a FIFO waits for the other side, be it a thread or a process that sleeps. */
#include "guest.h"
#include <sys/stat.h>

static char path[64];

static void *opener(void *flags)
{
	nap(1.3);
	int fd = open(path, (int)(intptr_t)flags);
	MUST(fd >= 0);
	if ((intptr_t)flags == O_WRONLY) {
		nap(1.3);
		MUST(write(fd, "hello", 5) == 5);
	}
	nap(0.5);
	close(fd);
	return NULL;
}

int main(void)
{
	char dir[] = "/tmp/guest-fifo-XXXXXX", bytes[8];
	MUST(mkdtemp(dir));
	snprintf(path, sizeof path, "%s/fifo", dir);
	MUST(mkfifo(path, 0600) == 0);
	int fd = -1;
	say("non-blocking writer: %s", RESULT(open(path, O_WRONLY | O_NONBLOCK)));

	pthread_t other = thread(opener, (void *)O_WRONLY);
	REPORT(1, "reader", (fd = open(path, O_RDONLY)) < 0);
	REPORT(1, "data", read(fd, bytes, 8));
	REPORT(0, "end", read(fd, bytes, 8));
	join(other);
	close(fd);
	other = thread(opener, (void *)O_RDONLY);
	REPORT(1, "writer", (fd = open(path, O_WRONLY)) < 0);
	join(other);
	close(fd);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		opener((void *)O_WRONLY);
		_exit(0);
	}
	REPORT(1, "reader of a process", (fd = openat(AT_FDCWD, path, O_RDONLY)) < 0);
	say("data: %s", RESULT(read(fd, bytes, 8)));
	say("child %d", reap(child));
	close(fd);
	/* fopen goes through an open of the library's own. */
	other = thread(opener, (void *)O_WRONLY);
	FILE *file = NULL;
	REPORT(1, "fopen", (file = fopen(path, "r")) == NULL);
	say("fgets: %s", fgets(bytes, sizeof bytes, file));
	join(other);
	fclose(file);
	unlink(path);
	rmdir(dir);
	return 0;
}
