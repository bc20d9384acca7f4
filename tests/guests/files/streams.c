/* libc's streams: the file is as old as its last write, which may be a flush, a close or the end of the program. */
#include "files.h"

int main(void)
{
	begin();
	FILE *out = fopen("file", "w");
	MUST(out);
	nap(3);
	ages("fopen", "file");
	fputs("text", out);
	nap(3);
	ages("buffered", "file");
	MUST(fflush(out) == 0);
	nap(2);
	ages("fflush", "file");
	fputs("text", out);
	nap(3);
	MUST(fclose(out) == 0);
	nap(2);
	ages("fclose", "file");
	MUST((out = fopen64("file", "a")) != NULL);
	ages("fopen64", "file");
	setvbuf(out, NULL, _IONBF, 0);
	fprintf(out, "text");
	nap(2);
	ages("fprintf", "file");
	MUST((out = freopen("file", "w", out)) != NULL);
	nap(2);
	ages("freopen", "file");
	MUST((out = freopen64("file", "r", out)) != NULL);
	nap(2);
	ages("freopen64", "file");
	fclose(out);
	int fd = open("file", O_WRONLY | O_APPEND);
	MUST((out = fdopen(fd, "a")) != NULL);
	fputs("text", out);
	fclose(out);
	nap(2);
	ages("fdopen", "file");
	/* A child whose end writes. */
	nap(3);
	pid_t child = fork();
	if (child == 0) {
		out = fopen("file", "a");
		fputs("last words", out);
		nap(1);
		exit(0);
	}
	reap(child);
	nap(2);
	ages("exit", "file");
	say("size: %d", (int)look("file").st_size);
	char names[][20] = { "aXXXXXX", "bXXXXXX", "cXXXXXX", "dXXXXXX", "eXXXXXX.c", "fXXXXXX.c", "gXXXXXX.c", "hXXXXXX.c" };
	MUST(mkstemp(names[0]) >= 0 && mkstemp64(names[1]) >= 0);
	MUST(mkostemp(names[2], O_CLOEXEC) >= 0 && mkostemp64(names[3], O_CLOEXEC) >= 0);
	MUST(mkstemps(names[4], 2) >= 0 && mkstemps64(names[5], 2) >= 0);
	MUST(mkostemps(names[6], 2, O_CLOEXEC) >= 0 && mkostemps64(names[7], 2, O_CLOEXEC) >= 0);
	nap(2);
	for (int i = 0; i < 8; i++)
		ages("temporary", names[i]);
	char made[] = "madeXXXXXX";
	MUST(mkdtemp(made) != NULL);
	nap(2);
	ages("mkdtemp", made);
	return end();
}
