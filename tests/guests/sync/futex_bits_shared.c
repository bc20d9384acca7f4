/* FUTEX_WAIT_BITSET and FUTEX_WAKE_BITSET without PRIVATE: only who waits for one of the bits is woken. */
#include "guest.h"
#include <linux/futex.h>
#include <sys/mman.h>
#include <sys/syscall.h>

static struct {
	uint32_t word;
	int woken[2];
} *common;

static long futex(int operation, uint32_t value, uint32_t bits)
{
	return syscall(SYS_futex, &common->word, operation, value, NULL, NULL, bits);
}

static void *waits(void *which)
{
	long bit = (intptr_t)which;
	MUST(futex(FUTEX_WAIT_BITSET, 0, 1u << bit) == 0);
	__atomic_store_n(&common->woken[bit], 1, __ATOMIC_SEQ_CST);
	return NULL;
}

static void wake(uint32_t bits)
{
	long n = futex(FUTEX_WAKE_BITSET, 1, bits);
	nap(1);
	say("woken %ld: %d %d", n, common->woken[0], common->woken[1]);
}

int main(void)
{
	common = mmap(NULL, sizeof *common, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
	MUST(common != MAP_FAILED);
	pthread_t first = thread(waits, (void *)0);
	nap(1);
	pthread_t second = thread(waits, (void *)1);
	nap(1);
	wake(4);
	wake(2);
	wake(2);
	wake(1);
	join(first);
	join(second);

	/* The same from a process to another. */
	common->woken[0] = common->woken[1] = 0;
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		waits((void *)1);
		_exit(3);
	}
	nap(1);
	wake(1);
	wake(2);
	say("child %d", reap(child));
	return 0;
}
