/* stdio on pipes: the library's own reads and writes wait where no entry point tells of it. */
#include "guest.h"

static int pipes[2];

static void *writer(void *unused)
{
	for (int i = 0; i < 4; i++) {
		nap(1.3);
		dprintf(pipes[1], "line %d\n", i);
	}
	nap(1.3);
	close(pipes[1]);
	return unused;
}

static void *reader(void *unused)
{
	static char bytes[65536];
	nap(1.3);
	MUST(read(pipes[0], bytes, sizeof bytes) > 0);
	return unused;
}

static FILE *shared_file;

static void *holder(void *unused)
{
	flockfile(shared_file);
	nap(2.3);
	funlockfile(shared_file);
	return unused;
}

int main(void)
{
	MUST(pipe(pipes) == 0);
	FILE *in = fdopen(pipes[0], "r");
	char line[32], *text = NULL;
	size_t size = 0;
	int number = -1;
	pthread_t other = thread(writer, NULL);
	REPORT(1, "fgets", fgets(line, sizeof line, in) == NULL);
	say("%.6s", line);
	REPORT(1, "getline", getline(&text, &size, in));
	say("%.6s", text);
	REPORT(1, "fscanf", fscanf(in, "line %d", &number));
	say("%d", number);
	REPORT(0, "getc", getc(in));
	REPORT(1, "fread", fread(line, 1, 7, in));
	REPORT(1, "end", getc(in) == EOF);
	join(other);
	fclose(in);

	MUST(pipe(pipes) == 0 && fcntl(pipes[1], F_SETPIPE_SZ, 4096) == 4096);
	FILE *out = fdopen(pipes[1], "w");
	for (int i = 0; i < 4096; i++)
		putc('x', out);
	MUST(fflush(out) == 0);
	putc('x', out);
	other = thread(reader, NULL);
	REPORT(1, "fflush", fflush(out));
	join(other);

	/* The lock of a stream whose holder sleeps is a wait inside the library as well. */
	shared_file = out;
	other = thread(holder, NULL);
	nap(1);
	REPORT(1, "putc, locked", putc('y', out) == EOF);
	join(other);
	return 0;
}
