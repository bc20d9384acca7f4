/* Each way in which a hold ends. Another process waits an hour meanwhile: it waits until the hold is over, and no longer. */
#include "../../../libflux/include/flux.h"
#include <pthread.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/wait.h>
#include <unistd.h>

#define HOLD_US 200000

static void *ends_thread(void *hold)
{
	usleep(HOLD_US);
	flux_release(*(int *)hold);
	return NULL;
}

static void holds(const char *way, int hold)
{
	pthread_t thread;
	if (!strcmp(way, "thread")) {
		pthread_create(&thread, NULL, ends_thread, &hold);
		pthread_join(thread, NULL);
		return;
	}
	if (!strcmp(way, "fork") && fork() == 0) {
		/* It lives on, and holds nothing. */
		sleep(7200);
		_exit(0);
	}
	usleep(HOLD_US);
	if (!strcmp(way, "release"))
		flux_release(hold);
	else if (!strcmp(way, "close"))
		close(hold);
	else if (!strcmp(way, "dup2"))
		dup2(0, hold);
	else if (!strcmp(way, "kill"))
		raise(SIGKILL);
	else if (!strcmp(way, "exec"))
		execl("/bin/sleep", "sleep", "7200", (char *)NULL);
	else if (!strcmp(way, "exit") || !strcmp(way, "fork"))
		exit(0);
}

static void check(const char *way)
{
	int ready[2], status;
	char byte;
	uint64_t from, really;
	if (pipe(ready) != 0)
		exit(1);
	pid_t child = fork();
	if (child == 0) {
		int hold = flux_hold(way);
		if (hold < 0)
			perror("flux_hold");
		if (write(ready[1], "", 1) != 1)
			exit(1);
		holds(way, hold);
		sleep(7200);
		_exit(0);
	}
	close(ready[1]);
	from = flux_real_now();
	if (read(ready[0], &byte, 1) != 1)
		exit(1);
	sleep(3600);
	really = flux_real_now() - from;
	printf("%s: %s\n", way, really < HOLD_US * 500u ? "at once" : really > 60000000000u ? "too long" : "waited");
	close(ready[0]);
	kill(child, SIGKILL);
	waitpid(child, &status, 0);
}

static void refused(const char *name)
{
	errno = 0;
	int hold = flux_hold(name);
	printf("%d %s\n", hold, strerror(errno));
}

int main(void)
{
	static const char *const ways[] = {"release", "close", "dup2", "exit", "kill", "exec", "fork", "thread"};
	static char long_name[82];
	setvbuf(stdout, NULL, _IOLBF, 0);
	if (!flux_active())
		return 1;
	for (unsigned i = 0; i < sizeof(ways) / sizeof(*ways); i++)
		check(ways[i]);
	memset(long_name, 'x', 81);
	refused("");
	refused("a/b");
	refused("a\nb");
	refused(long_name);
	errno = 0;
	int released = flux_release(0);
	printf("%d %s\n", released, strerror(errno));
	released = flux_release(-1);
	printf("%d\n", released);
	return 0;
}
