/* Waits for a slow writer in three ways, with a time-out that is too short and one that is long enough.
 *
 * Promise: a time-out and what it waits for come in the right order, as they would by the real clock.
 */
#include <poll.h>
#include <pthread.h>
#include <stdio.h>
#include <sys/epoll.h>
#include <sys/select.h>
#include <time.h>
#include <unistd.h>

#define MINUTE 60

static const char *const ways[] = { "poll", "select", "epoll_wait" };
static int ends[2], epoll;

/* Writes a byte every hour. */
static void *slow_writer(void *unused)
{
	for (int i = 0; i < 3; i++) {
		sleep(60 * MINUTE);
		if (write(ends[1], "x", 1) != 1)
			break;
	}
	return unused;
}

static int wait_for_byte(int way, int minutes)
{
	struct pollfd one = { .fd = ends[0], .events = POLLIN };
	struct timeval limit = { .tv_sec = minutes * MINUTE };
	struct epoll_event event;
	fd_set set;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	return way == 0 ? poll(&one, 1, minutes * MINUTE * 1000)
	     : way == 1 ? select(ends[0] + 1, &set, NULL, NULL, &limit)
	                : epoll_wait(epoll, &event, 1, minutes * MINUTE * 1000);
}

int main(void)
{
	struct epoll_event event = { .events = EPOLLIN };
	pthread_t writer;
	epoll = epoll_create1(EPOLL_CLOEXEC);
	if (pipe(ends) != 0 || epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) != 0)
		return 1;
	if (pthread_create(&writer, NULL, slow_writer, NULL) != 0)
		return 1;
	for (int way = 0; way < 3; way++) {
		time_t start = time(NULL);
		int early = wait_for_byte(way, 55), late = wait_for_byte(way, 30);
		char byte;
		printf("%s: %d ready after 55 min, %d ready after %ld min\n", ways[way], early, late,
		       (time(NULL) - start + MINUTE / 2) / MINUTE);
		if (read(ends[0], &byte, 1) != 1)
			return 1;
	}
	return pthread_join(writer, NULL);
}
