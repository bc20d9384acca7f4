/* A client that tries again, each time after twice as long a pause, until the server is up: half a day later.
 *
 * Promise: a day of sleeps is over at once, and the clock says that it was a day.
 */
#include <stdbool.h>
#include <stdio.h>
#include <time.h>
#include <unistd.h>

#define HOUR 3600

/* The server that this stands for comes up twelve hours after the start. */
static bool server_is_up(time_t start)
{
	return time(NULL) - start >= 12 * HOUR;
}

int main(void)
{
	time_t start = time(NULL);
	unsigned pause = 60;
	for (int attempt = 1; !server_is_up(start); attempt++) {
		printf("attempt %d: no answer after %ld min, next in %u min\n", attempt, (time(NULL) - start) / 60, pause / 60);
		fflush(stdout);
		sleep(pause);
		pause *= 2;
	}
	printf("connected after %ld h\n", (time(NULL) - start) / HOUR);
	return 0;
}
