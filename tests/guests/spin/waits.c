/* Waits until a time-out, and ends of files that were opened before, with a look at the clock each time: they find nothing, as a
 * loop that asks does, but time passes by them alone. */
#include "guest.h"

int main(void)
{
	start();
	for (int i = 0; i < 10; i++) {
		MUST(poll(NULL, 0, ms(1)) == 0);
		now_on(CLOCK_MONOTONIC);
	}
	say("ten waits: %d", after(10));
	start();
	for (int i = 0; i < 10; i++) {
		char byte;
		int ends[2];
		MUST(pipe(ends) == 0 && write(ends[1], "x", 1) == 1 && close(ends[1]) == 0);
		MUST(read(ends[0], &byte, 1) == 1 && read(ends[0], &byte, 1) == 0 && close(ends[0]) == 0);
		now_on(CLOCK_MONOTONIC);
	}
	say("ten ends of files: %d", after(0));
	return 0;
}
