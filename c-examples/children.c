/* Four processes of different patience; the parent collects them as they end.
 *
 * Promise: all processes of a session share one clock, and the end of a process is seen in time.
 */
#include <stdio.h>
#include <sys/wait.h>
#include <time.h>
#include <unistd.h>

int main(void)
{
	static const int hours[] = { 12, 3, 30, 7 };
	time_t start = time(NULL);
	for (int i = 0; i < 4; i++) {
		pid_t pid = fork();
		if (pid < 0)
			return 1;
		if (pid == 0) {
			sleep(hours[i] * 3600);
			_exit(i);
		}
	}
	int status;
	while (wait(&status) > 0)
		printf("child %d ended after %ld h\n", WEXITSTATUS(status), (time(NULL) - start) / 3600);
	return 0;
}
