/* Each form of longjmp, out of a handler that interrupted a sleep. */
#define _FORTIFY_SOURCE 0
#include "guest.h"
#include <setjmp.h>

void __longjmp_chk(jmp_buf env, int value) __attribute__((noreturn));

static jmp_buf back;
static sigjmp_buf back_with_mask;
static volatile int row;
static pthread_t waiter;

static void handler(int unused)
{
	(void)unused;
	switch (row) {
	case 0: longjmp(back, 1);
	case 1: _longjmp(back, 1);
	case 2: __longjmp_chk(back, 1);
	default: siglongjmp(back_with_mask, 1);
	}
}

static void *sender(void *unused)
{
	nap(1.3);
	pthread_kill(waiter, SIGUSR1);
	return unused;
}

int main(void)
{
	static const char *const names[] = { "longjmp", "_longjmp", "__longjmp_chk", "siglongjmp" };
	waiter = pthread_self();
	on_signal(SIGUSR1, handler, SA_NODEFER);
	for (row = 0; row < 4; row++) {
		start();
		volatile pthread_t t = thread(sender, NULL);
		if (row == 3 ? sigsetjmp(back_with_mask, 1) == 0 : _setjmp(back) == 0)
			nap(5);
		say("%s: after %d", names[row], after(1.3));
		join(t);
		nap(1);
	}
	return 0;
}
