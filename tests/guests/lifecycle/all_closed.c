/* A program that closes every descriptor it did not open, as daemons do, and then sleeps, polls, makes threads and processes. */
#include "guest.h"
#include <semaphore.h>
#include <sys/epoll.h>
#include <sys/syscall.h>

static sem_t semaphore;
static int pipes[2];

static void *other(void *unused)
{
	nap(1.3);
	sem_post(&semaphore);
	MUST(write(pipes[1], "x", 1) == 1);
	return unused;
}

static void everything_works(const char *how)
{
	say("--- %s", how);
	MUST(pipe(pipes) == 0 && sem_init(&semaphore, 0, 0) == 0);
	/* What we open gets the lowest numbers, as POSIX promises. */
	say("descriptors %d %d", pipes[0], pipes[1]);
	REPORT(1, "sleep", ({ nap(1); 0; }));
	struct pollfd p = { .fd = pipes[0], .events = POLLIN };
	REPORT(1, "poll", poll(&p, 1, ms(1)));
	pthread_t t = thread(other, NULL);
	REPORT(1, "semaphore", sem_wait(&semaphore));
	REPORT(0, "poll", poll(&p, 1, ms(1)));
	join(t);
	int instance = epoll_create1(0);
	struct epoll_event event;
	REPORT(1, "epoll", epoll_wait(instance, &event, 1, ms(1)));
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		closefrom(3);
		nap(1.3);
		execl("/bin/sleep", "sleep", "0.001", NULL);
		_exit(99);
	}
	start();
	int code = reap(child);
	say("child %d after %d", code, after(1));
	close(instance), close(pipes[0]), close(pipes[1]);
}

int main(void)
{
	/* What the test left open must not show. */
	closefrom(3);
	everything_works("closefrom");
	MUST(close_range(3, ~0u, 0) == 0);
	everything_works("close_range");
	for (int fd = 3; fd < 70000; fd++)
		close(fd);
	everything_works("close");
	for (int fd = 3; fd < 1024; fd++)
		dup2(1, fd);
	MUST(close_range(3, ~0u, CLOSE_RANGE_UNSHARE) == 0);
	everything_works("dup2 over all of them");
	say("none of ours is open: %s", RESULT(close(3)));
	return 0;
}
