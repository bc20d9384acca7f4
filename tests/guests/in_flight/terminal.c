/* Pseudo-terminals: a worker of the kernel carries bytes from one end to the other while everybody sleeps. */
#include "guest.h"
#include <pty.h>
#include <termios.h>

#ifdef MUSL_H
#define getpt() posix_openpt(O_RDWR)
#endif

static int master, slave;

static void make(bool raw)
{
	struct termios modes;
	MUST(openpty(&master, &slave, NULL, NULL, NULL) == 0 && tcgetattr(slave, &modes) == 0);
	if (raw)
		cfmakeraw(&modes);
	MUST(tcsetattr(slave, TCSANOW, &modes) == 0);
}

/* Reads from the master until there are as many bytes; "late" if the watchdog barks. */
static const char *get(int many)
{
	static char text[256];
	int got = 0;
	while (got < many) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		if (poll(&p, 1, ms(100)) != 1)
			return "late";
		ssize_t n = read(master, text + got, sizeof text - 1 - got);
		if (n <= 0)
			return name(errno);
		got += n;
	}
	text[got] = 0;
	for (char *c = text; *c; c++)
		*c = *c == '\r' ? '<' : *c == '\n' ? '|' : *c;
	return text;
}

/* Sends back what it gets. */
static void echoes(int fd)
{
	char byte;
	while (read(fd, &byte, 1) == 1)
		MUST(write(fd, &byte, 1) == 1);
}

static void rounds(void)
{
	make(true);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		close(master);
		echoes(slave);
		_exit(0);
	}
	int late = 0;
	for (int i = 0; i < FEWER(1000, 200); i++) {
		MUST(write(master, "x", 1) == 1);
		late += strcmp(get(1), "x") != 0;
	}
	say("echoes that were late: %d", late);
	MUST(kill(child, SIGKILL) == 0);
	reap(child);
	close(master);
	close(slave);
}

/* The line discipline's own echo: nobody reads, nobody writes. */
static void line(void)
{
	make(false);
	MUST(write(master, "a line\n", 7) == 7);
	say("echoed: %s", get(8));
	char text[64];
	start();
	say("read: %s", RESULT(read(slave, text, sizeof text)));
	close(slave);
	/* Opened again by its name, after it was closed by everybody. */
	MUST((slave = open(ptsname(master), O_RDWR | O_NOCTTY)) >= 0);
	MUST(write(slave, "again\n", 6) == 6);
	say("again: %s", get(7));
	close(slave);
	close(master);
}

static volatile sig_atomic_t interrupted;

static void on_interrupt(int number)
{
	interrupted = number;
}

/* A key of the terminal interrupts who sleeps. */
static void key(void)
{
	struct sigaction action = { .sa_handler = on_interrupt };
	MUST(sigaction(SIGINT, &action, NULL) == 0);
	pid_t child = forkpty(&master, NULL, NULL, NULL);
	MUST(child >= 0);
	if (child == 0) {
		int left = 0;
		MUST(write(1, "r", 1) == 1);
		for (int i = 0; i < 20; i++) {
			struct timespec time = as_timespec(units(50));
			left += nanosleep(&time, NULL) != 0;
			MUST(write(1, "k", 1) == 1);
		}
		_exit(left);
	}
	say("ready: %s", get(1));
	for (int i = 0; i < 20; i++) {
		nap(1);
		MUST(write(master, "\3", 1) == 1);
		const char *answer = get(3);
		if (strcmp(answer, "^Ck") != 0)
			say("key %d: %s", i, answer);
	}
	say("naps that a key has ended: %d", reap(child));
	close(master);
}

/* A flow that fills the buffers of both directions. */
static void flow(void)
{
	enum { BYTES = 100000 };
	static char bytes[BYTES];
	make(true);
	pid_t child = fork();
	MUST(child >= 0);
	if (child == 0) {
		close(master);
		for (int done = 0; done < BYTES;)
			done += write(slave, bytes, BYTES - done);
		_exit(0);
	}
	close(slave);
	int got = 0, late = 0;
	for (;;) {
		struct pollfd p = { .fd = master, .events = POLLIN };
		late += poll(&p, 1, ms(100)) != 1;
		ssize_t n = read(master, bytes, sizeof bytes);
		if (n <= 0)
			break;
		got += n;
	}
	say("%d bytes, late: %d", got, late);
	reap(child);
	close(master);
}

int main(void)
{
	rounds();
	line();
	key();
	flow();
	/* The same by the functions that they are made of. */
	MUST((master = posix_openpt(O_RDWR | O_NOCTTY)) >= 0 && grantpt(master) == 0 && unlockpt(master) == 0);
	close(master);
	MUST((master = getpt()) >= 0);
	close(master);
	MUST((master = open("/dev/ptmx", O_RDWR | O_NOCTTY)) >= 0 && unlockpt(master) == 0);
	MUST((slave = open(ptsname(master), O_RDWR | O_NOCTTY)) >= 0);
	MUST(write(slave, "end\n", 4) == 4);
	say("the end: %s", get(5));
	return 0;
}
