/* While somebody holds the clock it does not jump: a second is a second. Before and after, an hour is over at once. Prints
 * what the session's clock has moved by, and whether real time has passed.
 */
#include <flux.h>
#include <stdio.h>
#include <unistd.h>

static uint64_t from, really_from;

static void begin(void)
{
	from = flux_now();
	really_from = flux_real_now();
}

static void end(const char *what)
{
	uint64_t moved = (flux_now() - from + 50000000) / 100000000;
	int really = flux_real_now() - really_from > 100000000;
	printf("%s: %d.%d s, %s\n", what, (int)(moved / 10), (int)(moved % 10), really ? "waited" : "at once");
}

int main(void)
{
	if (!flux_active()) {
		puts("not in a session: run me by flux-launch");
		return 1;
	}
	begin();
	sleep(3600);
	end("an hour");
	begin();
	int hold = flux_hold("a service outside");
	usleep(400000);
	flux_release(hold);
	end("with a hold");
	begin();
	sleep(3600);
	end("an hour after it");
	return 0;
}
