/* Tests idle_server and idle_client without a single sleep: idle_driver LIBIDLE.SO SERVER CLIENT.
 *
 * Promise: whoever gets a lock on the state file of a program knows that it has come to rest, and reads there how often it
 * has been busy. So a test sends something, waits for rest and a new number, and then looks at what the program has done.
 */
#define _GNU_SOURCE
#include <arpa/inet.h>
#include <errno.h>
#include <fcntl.h>
#include <sched.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/file.h>
#include <sys/inotify.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/wait.h>
#include <unistd.h>

/* A program under test, its standard input and output, its state file, and what tells that something was written there. */
struct tested {
	pid_t pid;
	int in, out, state, changes;
	char path[32];
};

static void check(int ok, const char *what)
{
	if (!ok) {
		fprintf(stderr, "idle_driver: not true: %s\n", what);
		exit(1);
	}
}

static struct tested start(const char *library, char **command)
{
	struct tested tested = { .path = "/tmp/idle-state-XXXXXX" };
	int in[2], out[2];
	tested.state = mkostemp(tested.path, O_CLOEXEC);
	tested.changes = inotify_init1(IN_CLOEXEC);
	check(tested.state >= 0 && inotify_add_watch(tested.changes, tested.path, IN_MODIFY) >= 0, "a state file");
	check(pipe2(in, O_CLOEXEC) == 0 && pipe2(out, O_CLOEXEC) == 0, "pipes");
	tested.pid = fork();
	if (tested.pid == 0) {
		dup2(in[0], 0);
		dup2(out[1], 1);
		setenv("LIBIDLE_STATEFILE", tested.path, 1);
		setenv("LD_PRELOAD", library, 1);
		execv(command[0], command);
		_exit(127);
	}
	close(in[0]);
	close(out[1]);
	tested.in = in[1];
	tested.out = out[0];
	return tested;
}

/* The number in the state file, 0 before the program has written one. */
static long number(const struct tested *tested)
{
	char text[32] = "";
	check(pread(tested->state, text, sizeof text - 1, 0) >= 0, "the state file can be read");
	return atol(text);
}

static int is_busy(const struct tested *tested)
{
	if (flock(tested->state, LOCK_SH | LOCK_NB) != 0)
		return errno == EWOULDBLOCK;
	flock(tested->state, LOCK_UN);
	return 0;
}

/* Waits until the program rests and its number is past this one; the number. */
static long wait_for_rest(const struct tested *tested, long past)
{
	for (;;) {
		flock(tested->state, LOCK_SH);
		long now = number(tested);
		flock(tested->state, LOCK_UN);
		if (now > past)
			return now;
		/* It rests, but has not noticed yet what was sent: it will write a new number when it does. */
		char events[1024];
		check(read(tested->changes, events, sizeof events) > 0, "changes of the file are told");
	}
}

static void finish(const struct tested *tested)
{
	int status;
	close(tested->in);
	check(waitpid(tested->pid, &status, 0) == tested->pid && status == 0, "the program ends when its input does");
	unlink(tested->path);
}

static void test_server(const char *library, char *path)
{
	struct tested server = start(library, (char *[]){ path, NULL });
	long before = wait_for_rest(&server, 0);
	static const char *const pieces[] = { "he", "llo", " wor", "ld\n" };
	for (int i = 0; i < 4; i++) {
		int unread = 1;
		check(write(server.in, pieces[i], strlen(pieces[i])) > 0, "the server reads");
		while (ioctl(server.in, FIONREAD, &unread) == 0 && unread > 0)
			sched_yield();
	}
	long after = wait_for_rest(&server, before);
	char answer[256];
	fcntl(server.out, F_SETFL, O_NONBLOCK);
	ssize_t length = read(server.out, answer, sizeof answer);
	check(length == 12 && memcmp(answer, "HELLO WORLD\n", 12) == 0, "an idle server has answered");
	check(after == before + 1, "it was busy once for a request in four pieces");
	finish(&server);
}

static void test_client(const char *library, char *path)
{
	struct sockaddr_in address = { .sin_family = AF_INET, .sin_addr.s_addr = htonl(INADDR_LOOPBACK) };
	socklen_t size = sizeof address;
	int listener = socket(AF_INET, SOCK_STREAM | SOCK_CLOEXEC, 0);
	check(bind(listener, (struct sockaddr *)&address, size) == 0 && listen(listener, 1) == 0
	      && getsockname(listener, (struct sockaddr *)&address, &size) == 0, "a port");
	char port[8];
	snprintf(port, sizeof port, "%d", ntohs(address.sin_port));
	struct tested client = start(library, (char *[]){ path, port, NULL });
	int connection = accept4(listener, NULL, NULL, SOCK_CLOEXEC);
	long first = 0;
	for (int i = 0; i < 3; i++) {
		char question[256];
		check(read(connection, question, sizeof question) > 0, "a question");
		first = i == 0 ? number(&client) : first;
		for (int looks = 0; looks < 1000; looks++)
			check(is_busy(&client), "a client that waits for its service is busy");
		check(write(connection, "answer\n", 7) == 7, "the client reads");
	}
	check(wait_for_rest(&client, 0) == first, "it has not come to rest between the first question and the last answer");
	finish(&client);
}

int main(int argc, char **argv)
{
	if (argc != 4)
		return fprintf(stderr, "usage: idle_driver LIBIDLE.SO SERVER CLIENT\n"), 2;
	test_server(argv[1], argv[2]);
	test_client(argv[1], argv[3]);
	printf("a request in four pieces: busy once\nthree questions: busy from the first to the last answer\n");
	return 0;
}
