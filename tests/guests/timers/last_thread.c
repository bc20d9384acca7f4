/* Timers keep nobody alive, and no privileges: the library's threads end with the program's last one, however that ends, and
 * give up what the program gives up. */
#include "guest.h"
#include <dirent.h>
#include <grp.h>
#include <sched.h>
#include <sys/fsuid.h>
#include <sys/syscall.h>

static void every(double n)
{
	struct itimerval timer = { as_timeval(units(n)), as_timeval(units(n)) };
	MUST(setitimer(ITIMER_REAL, &timer, NULL) == 0);
}

static volatile sig_atomic_t ticks;

static void tick(int number)
{
	(void)number;
	ticks++;
}

static void await_ticks(int n)
{
	for (ticks = 0; ticks < n;)
		pause();
}

static void *ends_alone(void *unused)
{
	syscall(SYS_exit, 0);
	return unused;
}

static int ends_as_last(void *unused)
{
	(void)unused;
	every(1000);
	return 6;
}

static const char *all_have(const char *field, unsigned id)
{
	DIR *tasks = opendir("/proc/self/task");
	struct dirent *entry;
	const char *answer = "all";
	while ((entry = readdir(tasks))) {
		char path[300], line[200], format[32];
		unsigned effective = id;
		snprintf(path, sizeof path, "/proc/self/task/%s/status", entry->d_name);
		snprintf(format, sizeof format, "%s:\t%%*u\t%%u", field);
		FILE *status = entry->d_name[0] == '.' ? NULL : fopen(path, "r");
		if (status == NULL)
			continue;
		while (fgets(line, sizeof line, status))
			sscanf(line, format, &effective);
		fclose(status);
		if (effective != id)
			answer = "not all";
	}
	closedir(tasks);
	return answer;
}

int main(void)
{
	on_signal(SIGALRM, tick, 0);
	start();
	int code;
	pid_t child = fork();
	if (child == 0) {
		every(1000);
		syscall(SYS_exit, 5);
	}
	code = reap(child);
	say("the only thread: %d after %d", code, after(0));
	start();
	child = fork();
	if (child == 0) {
		pthread_t t = thread(ends_alone, NULL);
		every(1);
		/* libc does not know that it has ended. */
		await_ticks(2);
		(void)t;
		syscall(SYS_exit, 4);
	}
	code = reap(child);
	say("two threads: %d after %d", code, after(2));
	static char stack[64 << 10];
	start();
	child = clone(ends_as_last, stack + sizeof stack, SIGCHLD, NULL);
	code = reap(child);
	say("by clone: %d after %d", code, after(0));

	every(1);
	await_ticks(2);
	unsigned id = getuid() == 0 ? 65534 : getuid();
	gid_t group = id;
	bool root = getuid() == 0;
	MUST(!root || setgroups(1, &group) == 0);
	MUST(!root || (setegid(id) == 0 && setegid(0) == 0 && setregid(0, id) == 0 && setresgid(id, id, id) == 0));
	MUST(!root || setgid(id) == 0);
	say("setgid: %s", all_have("Gid", group));
	MUST(!root || (seteuid(id) == 0 && seteuid(0) == 0 && setreuid(0, 0) == 0 && setresuid(0, id, 0) == 0));
	say("setresuid: %s", all_have("Uid", id));
	MUST(!root || (seteuid(0) == 0 && setuid(id) == 0));
	say("setuid: %s", all_have("Uid", id));
	say("initgroups: %s", RESULT(initgroups("nobody", group)));
	say("setns: %s", RESULT(setns(-1, 0)));
	say("unshare: %s", RESULT(unshare(CLONE_FS)));
	say("chroot: %s", RESULT(chroot("/there/is/none")));
	await_ticks(2);
	say("it ticks on");
	every(0);
	return 0;
}
