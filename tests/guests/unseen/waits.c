/* Each call with a time-out, in line, in a program that has the library: no hook sees these waits. */
#ifndef RAW_WAITS
#define RAW_WAITS
#endif
#include "raw.h"
#include "guest.h"
#include <linux/aio_abi.h>
#include <linux/futex.h>
#include <sys/epoll.h>
#include <sys/ipc.h>

/* By syscall(2) the time-out stays as it was. */
static void left_of(const char *what, struct timespec left)
{
#ifdef RAW_BY_LIBC
	left = (struct timespec){ 0, 0 };
#endif
	say("%s: %lld left", what, (long long)ns_of(left));
}

static void sleeps(void)
{
	struct timespec two = as_timespec(units(2)), until;
	REPORT(2, "nanosleep", RAW(SYS_nanosleep, &two, NULL));
	REPORT(2, "clock_nanosleep", RAW(SYS_clock_nanosleep, CLOCK_BOOTTIME, 0, &two, NULL));
	until = in_units(CLOCK_MONOTONIC, 2.3);
	REPORT(2, "clock_nanosleep until", RAW(SYS_clock_nanosleep, CLOCK_MONOTONIC, TIMER_ABSTIME, &until, NULL));
	until = in_units(CLOCK_REALTIME, 2.3);
	REPORT(2, "clock_nanosleep until, real", RAW(SYS_clock_nanosleep, CLOCK_REALTIME, TIMER_ABSTIME, &until, NULL));
	say("%s", ns_of(until) <= now_on(CLOCK_REALTIME) ? "not early" : "EARLY");
}

static void readiness(void)
{
	int ends[2];
	MUST(pipe(ends) == 0);
	struct pollfd in = { .fd = ends[0], .events = POLLIN };
	REPORT(2, "poll", RAW(SYS_poll, &in, 1, ms(2)));
	struct timespec two = as_timespec(units(2));
	REPORT(2, "ppoll", RAW(SYS_ppoll, &in, 1, &two, NULL, 8));
	left_of("ppoll", two);

	fd_set set;
	FD_ZERO(&set);
	FD_SET(ends[0], &set);
	struct timeval time = as_timeval(units(2));
	REPORT(2, "select", RAW(SYS_select, ends[0] + 1, &set, NULL, NULL, &time));
	say("set %d, %lld left", FD_ISSET(ends[0], &set), (long long)(time.tv_sec + time.tv_usec));
	FD_SET(ends[0], &set);
	two = as_timespec(units(2));
	REPORT(2, "pselect6", RAW(SYS_pselect6, ends[0] + 1, &set, NULL, NULL, &two, NULL));
	say("set %d", FD_ISSET(ends[0], &set));
	left_of("pselect6", two);

	int epoll = epoll_create1(0);
	struct epoll_event event = { .events = EPOLLIN };
	MUST(epoll >= 0 && epoll_ctl(epoll, EPOLL_CTL_ADD, ends[0], &event) == 0);
	REPORT(2, "epoll_wait", RAW(SYS_epoll_wait, epoll, &event, 1, ms(2)));
	REPORT(2, "epoll_pwait", RAW(SYS_epoll_pwait, epoll, &event, 1, ms(2), NULL, 8));
	two = as_timespec(units(2));
	REPORT(2, "epoll_pwait2", RAW(SYS_epoll_pwait2, epoll, &event, 1, &two, NULL, 8));
	close(epoll);
	close(ends[0]);
	close(ends[1]);
}

static void futexes(void)
{
	static uint32_t word;
	struct timespec two = as_timespec(units(2)), until;
	REPORT(2, "futex", RAW(SYS_futex, &word, FUTEX_WAIT_PRIVATE, 0, &two));
	until = in_units(CLOCK_MONOTONIC, 2.3);
	REPORT(2, "futex until", RAW(SYS_futex, &word, FUTEX_WAIT_BITSET, 0, &until, NULL, ~0u));
	until = in_units(CLOCK_REALTIME, 2.3);
	REPORT(2, "futex until, real", RAW(SYS_futex, &word, FUTEX_WAIT_BITSET | FUTEX_CLOCK_REALTIME, 0, &until, NULL, ~0u));
	until = in_units(CLOCK_MONOTONIC, 2.3);
	struct futex_waitv one = { .uaddr = (uintptr_t)&word, .flags = FUTEX_32 };
	REPORT(2, "futex_waitv", RAW(SYS_futex_waitv, &one, 1, 0, &until, CLOCK_MONOTONIC));
}

static void queues(void)
{
	struct timespec two = as_timespec(units(2)), until;
	sigset_t set;
	sigemptyset(&set);
	sigaddset(&set, SIGUSR1);
	MUST(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
	REPORT(2, "rt_sigtimedwait", RAW(SYS_rt_sigtimedwait, &set, NULL, &two, 8));

	int id = semget(IPC_PRIVATE, 1, 0600);
	struct sembuf down = { .sem_op = -1 };
	REPORT(2, "semtimedop", RAW(SYS_semtimedop, id, &down, 1, &two));
	semctl(id, 0, IPC_RMID);

	char queue_name[32], text[16];
	snprintf(queue_name, sizeof queue_name, "/unseen-%d", (int)getpid());
	struct mq_attr attributes = { .mq_maxmsg = 1, .mq_msgsize = sizeof text };
	mqd_t queue = mq_open(queue_name, O_RDWR | O_CREAT | O_EXCL, 0600, &attributes);
	MUST(queue >= 0 && mq_unlink(queue_name) == 0);
	until = in_units(CLOCK_REALTIME, 2.3);
	REPORT(2, "mq_timedreceive", RAW(SYS_mq_timedreceive, queue, text, sizeof text, NULL, &until));
	MUST(mq_send(queue, "x", 1, 0) == 0);
	until = in_units(CLOCK_REALTIME, 2.3);
	REPORT(2, "mq_timedsend", RAW(SYS_mq_timedsend, queue, "y", 1, 0, &until));
}

static void requests(void)
{
	aio_context_t context = 0;
	MUST(syscall(SYS_io_setup, 4, &context) == 0);
	struct io_event event;
	struct timespec two = as_timespec(units(2));
	REPORT(2, "io_getevents", RAW(SYS_io_getevents, context, 1, 1, &event, &two));
	REPORT(2, "io_pgetevents", RAW(SYS_io_pgetevents, context, 1, 1, &event, &two, NULL));
	MUST(syscall(SYS_io_destroy, context) == 0);
}

int main(void)
{
	sleeps();
	readiness();
	futexes();
	queues();
	requests();
	return 0;
}
