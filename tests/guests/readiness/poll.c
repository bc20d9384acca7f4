/* poll(2): time-outs of every kind, data from a thread that sleeps, what is reported of odd descriptors. */
#include "guest.h"

static int pipes[2];

static void *writer(void *unused)
{
	nap(1.3);
	MUST(write(pipes[1], "x", 1) == 1);
	return unused;
}

static void *closer(void *unused)
{
	nap(1.3);
	close(pipes[1]);
	return unused;
}

static const char *events(const struct pollfd *p)
{
	static char text[64];
	snprintf(text, sizeof text, "%s%s%s%s%s", p->revents & POLLIN ? "IN " : "", p->revents & POLLOUT ? "OUT " : "",
	         p->revents & POLLHUP ? "HUP " : "", p->revents & POLLERR ? "ERR " : "", p->revents & POLLNVAL ? "NVAL " : "");
	return text;
}

int main(void)
{
	MUST(pipe(pipes) == 0);
	GUARDED(struct pollfd) g;
	guard(&g);
	struct pollfd *p = &g.value;
	*p = (struct pollfd){ .fd = pipes[0], .events = POLLIN, .revents = -1 };
	REPORT(0, "no time", poll(p, 1, 0));
	REPORT(2, "two units", poll(p, 1, ms(2)));
	say("revents %d", p->revents);
	REPORT(2, "no descriptors", poll(NULL, 0, ms(2)));
	struct pollfd ignored = { .fd = -1, .events = POLLIN, .revents = 7 };
	REPORT(1, "an ignored one", poll(&ignored, 1, ms(1)));
	say("revents %d", ignored.revents);

	for (int timeout = -1; timeout >= -5; timeout -= 4) {
		pthread_t other = thread(writer, NULL);
		REPORT(1, "infinite", poll(p, 1, timeout));
		say("events %s", events(p));
		REPORT(0, "still there", poll(p, 1, timeout));
		join(other);
		char byte;
		MUST(read(pipes[0], &byte, 1) == 1);
	}
	pthread_t other = thread(writer, NULL);
	REPORT(1, "in time", poll(p, 1, ms(5)));
	join(other);

	struct pollfd both[2] = { { pipes[0], POLLIN, 0 }, { pipes[1], POLLOUT, 0 } };
	REPORT(0, "two ready", poll(both, 2, ms(5)));
	say("events %s", events(&both[0]));
	say("events %s", events(&both[1]));
	char byte;
	MUST(read(pipes[0], &byte, 1) == 1);

	both[1].fd = 900;
	REPORT(0, "a bad one among them", poll(both, 2, ms(5)));
	say("events %d, %s", both[0].revents, events(&both[1]));
	/* Through variables, or the compiler complains about what is tested here. */
	volatile nfds_t many = 1u << 30;
	struct pollfd *volatile nowhere = (struct pollfd *)8;
	say("too many: %s", RESULT(poll(p, many, ms(5))));
	say("no memory: %s", RESULT(poll(nowhere, 1, ms(5))));

	other = thread(closer, NULL);
	p->events = 0;
	REPORT(1, "end of file", poll(p, 1, -1));
	say("events %s", events(p));
	join(other);
	say("guards %d", guard_ok(&g));
	return 0;
}
