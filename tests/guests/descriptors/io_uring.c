/* io_uring_enter by syscall(2): its time-out, and answers that come before it. */
#include "guest.h"
#include <linux/io_uring.h>
#include <sys/syscall.h>

static int ring;
static unsigned *sq_tail, *sq_mask, *sq_array, *cq_head, *cq_tail, *cq_mask;
static struct io_uring_sqe *entries;
static struct io_uring_cqe *answers;

static void set_up(void)
{
	struct io_uring_params params;
	memset(&params, 0, sizeof params);
	ring = syscall(SYS_io_uring_setup, 8, &params);
	MUST(ring >= 0);
	int protection = PROT_READ | PROT_WRITE, flags = MAP_SHARED | MAP_POPULATE;
	char *sq = mmap(NULL, params.sq_off.array + params.sq_entries * 4, protection, flags, ring, IORING_OFF_SQ_RING);
	char *cq = mmap(NULL, params.cq_off.cqes + params.cq_entries * sizeof *answers, protection, flags, ring, IORING_OFF_CQ_RING);
	entries = mmap(NULL, params.sq_entries * sizeof *entries, protection, flags, ring, IORING_OFF_SQES);
	MUST(sq != MAP_FAILED && cq != MAP_FAILED && entries != MAP_FAILED);
	sq_tail = (void *)(sq + params.sq_off.tail);
	sq_mask = (void *)(sq + params.sq_off.ring_mask);
	sq_array = (void *)(sq + params.sq_off.array);
	cq_head = (void *)(cq + params.cq_off.head);
	cq_tail = (void *)(cq + params.cq_off.tail);
	cq_mask = (void *)(cq + params.cq_off.ring_mask);
	answers = (void *)(cq + params.cq_off.cqes);
}

/* Prepares a read of one byte. */
static void add_read(int fd, char *to, int id)
{
	unsigned at = *sq_tail & *sq_mask;
	memset(&entries[at], 0, sizeof *entries);
	entries[at] = (struct io_uring_sqe){ .opcode = IORING_OP_READ, .fd = fd, .addr = (uintptr_t)to, .len = 1, .user_data = id };
	sq_array[at] = at;
	__atomic_store_n(sq_tail, *sq_tail + 1, __ATOMIC_RELEASE);
}

static int submit_and_wait(int submit, int least, double n)
{
	struct __kernel_timespec time = { units(n) / SECOND, units(n) % SECOND };
	struct io_uring_getevents_arg argument = { .ts = n ? (uintptr_t)&time : 0 };
	int flags = IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG;
	return syscall(SYS_io_uring_enter, ring, submit, least, flags, &argument, sizeof argument);
}

static void take(void)
{
	while (*cq_head != __atomic_load_n(cq_tail, __ATOMIC_ACQUIRE)) {
		struct io_uring_cqe *answer = &answers[*cq_head & *cq_mask];
		say("answer %d: %d", (int)answer->user_data, answer->res);
		__atomic_store_n(cq_head, *cq_head + 1, __ATOMIC_RELEASE);
	}
}

static int first[2], second[2];

/* To the first pipe and, two units and a half later, to the second. */
static void *writes_twice(void *unused)
{
	nap(1.3);
	MUST(write(first[1], "x", 1) == 1);
	nap(2.5);
	MUST(write(second[1], "y", 1) == 1);
	return unused;
}

static void nothing(int number)
{
	(void)number;
}

static void *interrupts(void *whom)
{
	nap(1.3);
	MUST(pthread_kill(*(pthread_t *)whom, SIGUSR1) == 0);
	return NULL;
}

int main(void)
{
	set_up();
	REPORT(2, "nothing to come", submit_and_wait(0, 1, 2));
	char bytes[2];
	MUST(pipe(first) == 0 && pipe(second) == 0);
	add_read(first[0], &bytes[0], 1);
	REPORT(2, "submitted, nothing comes", submit_and_wait(1, 1, 2));
	REPORT(0, "still nothing", submit_and_wait(0, 1, 0.001));
	add_read(second[0], &bytes[1], 2);
	pthread_t other = thread(writes_twice, NULL);
	REPORT(1, "one comes", submit_and_wait(1, 1, 9));
	take();
	REPORT(2, "the second", submit_and_wait(0, 1, 9));
	take();
	join(other);

	/* Two at least, and the first is no reason to come back. */
	for (int late = 0; late < 2; late++) {
		add_read(first[0], &bytes[0], 3);
		add_read(second[0], &bytes[1], 4);
		other = thread(writes_twice, NULL);
		REPORT(late ? 2 : 3, "two at least", submit_and_wait(2, 2, late ? 2.3 : 9));
		if (late)
			REPORT(1, "the other", submit_and_wait(0, 2, 9));
		take();
		join(other);
	}

	/* Without a time-out, and interrupted. */
	add_read(first[0], &bytes[0], 5);
	other = thread(writes_twice, NULL);
	REPORT(1, "no time-out", submit_and_wait(1, 1, 0));
	take();
	join(other);
	on_signal(SIGUSR1, nothing, 0);
	pthread_t me = pthread_self();
	other = thread(interrupts, &me);
	REPORT(1, "interrupted", submit_and_wait(0, 1, 9));
	join(other);
	say("bad time: %s", RESULT(syscall(SYS_io_uring_enter, ring, 0, 1, IORING_ENTER_GETEVENTS | IORING_ENTER_EXT_ARG,
					   &(struct io_uring_getevents_arg){ .ts = 8 }, sizeof(struct io_uring_getevents_arg))));
	say("no ring: %s", RESULT(syscall(SYS_io_uring_enter, first[0], 0, 1, IORING_ENTER_GETEVENTS, NULL, 0)));
	return 0;
}
