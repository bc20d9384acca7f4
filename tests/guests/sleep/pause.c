/* pause and sigsuspend: EINTR after a handler ran; sigsuspend swaps the mask for just as long. */
#include "guest.h"

static volatile sig_atomic_t usr1, usr2;
static pthread_t waiter;

static void handler(int number)
{
	if (number == SIGUSR1)
		usr1++;
	else
		usr2++;
}

static void *sender(void *number)
{
	nap(2.3);
	MUST(pthread_kill(waiter, (int)(intptr_t)number) == 0);
	return NULL;
}

int main(void)
{
	waiter = pthread_self();
	on_signal(SIGUSR1, handler, SA_RESTART);
	on_signal(SIGUSR2, handler, 0);

	pthread_t other = thread(sender, (void *)(intptr_t)SIGUSR1);
	REPORT(2, "pause", pause());
	say("handled %d", usr1);
	join(other);

	sigset_t both, only_usr2, now;
	sigemptyset(&both);
	sigaddset(&both, SIGUSR1);
	sigaddset(&both, SIGUSR2);
	MUST(sigprocmask(SIG_BLOCK, &both, NULL) == 0);
	sigfillset(&only_usr2);
	sigdelset(&only_usr2, SIGUSR2);

	/* USR1 is pending all the time and stays so; only USR2 ends the wait. */
	raise(SIGUSR1);
	other = thread(sender, (void *)(intptr_t)SIGUSR2);
	REPORT(2, "sigsuspend", sigsuspend(&only_usr2));
	say("handled %d and %d", usr1, usr2);
	join(other);
	MUST(sigprocmask(SIG_SETMASK, NULL, &now) == 0);
	say("mask is back: %d %d", sigismember(&now, SIGUSR1), sigismember(&now, SIGUSR2));

	/* What is pending when the mask is swapped ends it at once. */
	sigset_t none;
	sigemptyset(&none);
	REPORT(0, "sigsuspend, pending", sigsuspend(&none));
	say("handled %d and %d", usr1, usr2);
	return 0;
}
