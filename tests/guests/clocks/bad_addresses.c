/* Addresses that the program has no access to: system calls say so, and nobody dies of it. */
#include "guest.h"
#include <linux/futex.h>
#include <mqueue.h>
#include <sys/syscall.h>

#define CALL(name, ...) say(#name ": %s", RESULT(syscall(SYS_##name, __VA_ARGS__)))

int main(void)
{
	void *none = mmap(NULL, 8192, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	MUST(none != MAP_FAILED);
	struct sigevent event = { .sigev_notify = SIGEV_NONE };
	int timer, bad = -1;
	CALL(clock_gettime, CLOCK_MONOTONIC, none);
	CALL(clock_gettime, CLOCK_THREAD_CPUTIME_ID, none);
	CALL(clock_gettime, 77, none);
	CALL(gettimeofday, none, NULL);
	CALL(nanosleep, none, NULL);
	CALL(clock_nanosleep, CLOCK_MONOTONIC, 0, none, NULL);
	CALL(timer_create, CLOCK_MONOTONIC, &event, none);
	CALL(timer_create, CLOCK_MONOTONIC, none, &timer);
	CALL(timer_create, CLOCK_MONOTONIC, &event, &timer);
	CALL(timer_settime, timer, 0, none, NULL);
	CALL(timer_delete, timer);
	CALL(timerfd_settime, bad, 0, none, NULL);
	CALL(futex, none, FUTEX_WAKE, 1, NULL, NULL, 0);
	CALL(futex, none, FUTEX_WAIT, 1, NULL, NULL, 0);
	CALL(futex, none, FUTEX_WAIT_BITSET | FUTEX_PRIVATE_FLAG, 1, NULL, NULL, 1);
	CALL(clone3, none, 64);
	CALL(ppoll, NULL, 0, none, NULL, 8);
	struct timeval moment = { 0, 1000 };
	struct timespec short_while = { 0, 1000000 };
	CALL(select, 1, NULL, NULL, NULL, none);
	CALL(select, 1, none, NULL, NULL, &moment);
	CALL(select, 1, NULL, none, NULL, NULL);
	CALL(pselect6, 1, NULL, NULL, NULL, none, NULL);
	CALL(pselect6, 1, NULL, NULL, none, &short_while, NULL);
	CALL(pselect6, 0, NULL, NULL, NULL, &short_while, none);

	char path[32], text[8] = "";
	snprintf(path, sizeof path, "/bad-%d", getpid());
	struct mq_attr small = { .mq_maxmsg = 1, .mq_msgsize = 8 };
	mqd_t queue = mq_open(path, O_CREAT | O_RDWR, 0600, &small);
	MUST(queue >= 0 && mq_unlink(path) == 0);
	CALL(mq_timedreceive, queue, text, 8, NULL, none);
	struct timespec past = { -1, 0 }, odd = { 0, 1000000000 };
	CALL(mq_timedreceive, queue, text, 8, NULL, &past);
	CALL(mq_timedsend, queue, text, 8, 0, &odd);
	return 0;
}
