/* Reading a stream: a call waits if it does not find in the buffer what it needs, and only then. */
#include "stdio.h"

int _IO_getc(FILE *);
int __uflow(FILE *);
int __underflow(FILE *);
char *gets(char *);
char *__gets_chk(char *, size_t);
char *__fgets_chk(char *, size_t, int, FILE *);
char *__fgets_unlocked_chk(char *, size_t, int, FILE *);
size_t __fread_chk(void *, size_t, size_t, size_t, FILE *);
size_t __fread_unlocked_chk(void *, size_t, size_t, size_t, FILE *);
ssize_t __getdelim(char **, size_t *, int, FILE *);
int __vfscanf(FILE *, const char *, va_list);
#define SCANS(prefix, kind) \
	int prefix##scanf(const char *, ...) kind; \
	int prefix##fscanf(FILE *, const char *, ...) kind; \
	int prefix##vscanf(const char *, va_list) kind; \
	int prefix##vfscanf(FILE *, const char *, va_list) kind;
SCANS(__isoc99_, )
SCANS(__isoc23_, __attribute__((weak)))
/* Not what the headers make of them. */
extern int old_scanf(const char *, ...) __asm__("scanf");
extern int old_fscanf(FILE *, const char *, ...) __asm__("fscanf");
extern int old_vscanf(const char *, va_list) __asm__("vscanf");
extern int old_vfscanf(FILE *, const char *, va_list) __asm__("vfscanf");

static int pipes[2];

static void *writer(void *text)
{
	nap(1.3);
	MUST(write(pipes[1], text, strlen(text)) == (ssize_t)strlen(text));
	return NULL;
}

/* The call finds nothing, and the text after 1.3 units; what it leaves of the line is taken. */
#define READS(what, text, call) \
	do { \
		pthread_t other = thread(writer, (text)); \
		REPORT(1, (what), (call)); \
		join(other); \
		while (stdin_has()) \
			getc(stdin); \
	} while (0)

static bool stdin_has(void)
{
	/* What was read and not taken yet: fields that glibc keeps for old programs. */
	return stdin->_IO_read_ptr < stdin->_IO_read_end;
}

int main(void)
{
	static char to[100];
	char *line = NULL;
	size_t size = 0;
	int number = 0;
	MUST(pipe(pipes) == 0);
	stdin = fdopen(pipes[0], "r");

	READS("fgetc", "4\n", fgetc(stdin));
	READS("getc", "4\n", getc(stdin));
	READS("_IO_getc", "4\n", _IO_getc(stdin));
	READS("fgetc_unlocked", "4\n", fgetc_unlocked(stdin));
	READS("getc_unlocked", "4\n", getc_unlocked(stdin));
	READS("getchar", "4\n", getchar());
	READS("getchar_unlocked", "4\n", getchar_unlocked());
	READS("__uflow", "4\n", __uflow(stdin));
	READS("__underflow", "4\n", __underflow(stdin));
	READS("getw", "4444\n", getw(stdin));
	READS("fgets", "four\n", strlen(fgets(to, sizeof to, stdin)));
	READS("fgets_unlocked", "four\n", strlen(fgets_unlocked(to, sizeof to, stdin)));
	READS("__fgets_chk", "four\n", strlen(__fgets_chk(to, sizeof to, 50, stdin)));
	READS("__fgets_unlocked_chk", "four\n", strlen(__fgets_unlocked_chk(to, sizeof to, 50, stdin)));
	READS("gets", "four\n", strlen(gets(to)));
	READS("__gets_chk", "four\n", strlen(__gets_chk(to, sizeof to)));
	READS("getline", "four\n", getline(&line, &size, stdin));
	READS("getdelim", "four;five\n", getdelim(&line, &size, ';', stdin));
	READS("__getdelim", "four;five\n", __getdelim(&line, &size, ';', stdin));
	READS("fread", "four\n", fread(to, 1, 4, stdin));
	READS("fread_unlocked", "four\n", fread_unlocked(to, 2, 2, stdin));
	READS("__fread_chk", "four\n", __fread_chk(to, sizeof to, 1, 4, stdin));
	READS("__fread_unlocked_chk", "four\n", __fread_unlocked_chk(to, sizeof to, 1, 4, stdin));
	READS("scanf", "4 \n", old_scanf("%d", &number));
	READS("fscanf", "4 \n", old_fscanf(stdin, "%d", &number));
	READS("vscanf", "4 \n", list(old_vscanf, "%d", &number));
	READS("vfscanf", "4 \n", flist(old_vfscanf, stdin, "%d", &number));
	READS("__vfscanf", "4 \n", flist(__vfscanf, stdin, "%d", &number));
	READS("__isoc99_scanf", "4 \n", __isoc99_scanf("%d", &number));
	READS("__isoc99_fscanf", "4 \n", __isoc99_fscanf(stdin, "%d", &number));
	READS("__isoc99_vscanf", "4 \n", list(__isoc99_vscanf, "%d", &number));
	READS("__isoc99_vfscanf", "4 \n", flist(__isoc99_vfscanf, stdin, "%d", &number));
	if (is_2_38()) {
		READS("scanf, C23", "4 \n", __isoc23_scanf("%d", &number));
		READS("fscanf, C23", "4 \n", __isoc23_fscanf(stdin, "%d", &number));
		READS("vscanf, C23", "4 \n", list(__isoc23_vscanf, "%d", &number));
		READS("vfscanf, C23", "4 \n", flist(__isoc23_vfscanf, stdin, "%d", &number));
	} else {
		READS("scanf, C23", "4 \n", scanf("%d", &number));
		READS("fscanf, C23", "4 \n", fscanf(stdin, "%d", &number));
		READS("vscanf, C23", "4 \n", list(vscanf, "%d", &number));
		READS("vfscanf, C23", "4 \n", flist(vfscanf, stdin, "%d", &number));
	}

	/* More than six arguments, and of both kinds. */
	double real[3];
	int whole[5];
	READS("scanf of many", "1 2 3.5 4 4.5 6 7 8.5\n",
	      __isoc99_scanf("%d %d %lf %d %lf %d %d %lf", whole, whole + 1, real, whole + 2, real + 1, whole + 3, whole + 4, real + 2));
	say("%d %d %.1f %d %.1f %d %d %.1f", whole[0], whole[1], real[0], whole[2], real[1], whole[3], whole[4], real[2]);

	/* What is there is taken at once; what is there of a line is waited for. */
	pthread_t other = thread(writer, "one\ntwo\n3 4\npart");
	REPORT(1, "the first line", strlen(fgets(to, sizeof to, stdin)));
	REPORT(0, "the second line", getline(&line, &size, stdin));
	REPORT(0, "words", old_scanf("%d %d", whole, whole + 1));
	REPORT(0, "the end of that line", getc(stdin));
	join(other);
	READS("a part of a line", "ial\n", getline(&line, &size, stdin));
	say("%.7s", line);
	other = thread(writer, "12");
	REPORT(1, "a byte", getc(stdin));
	join(other);
	READS("a part of a number", "3 \n", old_scanf("%d", &number));
	say("%d", number);
	other = thread(writer, "four");
	REPORT(1, "more than is there", fread(to, 1, 3, stdin));
	join(other);
	READS("the rest", "five\n", fread(to, 1, 5, stdin));

	/* A stream without a descriptor calls functions, or nobody. */
	FILE *memory = fmemopen(to, 5, "r");
	REPORT(0, "in memory", getline(&line, &size, memory));
	fclose(memory);

	other = thread(writer, "secret\n");
	MUST(dup2(pipes[0], 0) == 0);
	stdin = fdopen(0, "r");
	setsid();
	REPORT(1, "getpass", strlen(getpass("")));
	join(other);
	return 0;
}
