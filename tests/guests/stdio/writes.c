/* Writing to a stream: a call waits if what it writes does not fit into the buffer, or is not to stay there. */
#include "stdio.h"
#include <sys/stat.h>

int _IO_putc(int, FILE *);
int __overflow(FILE *, int);
int __printf_chk(int, const char *, ...);
int __fprintf_chk(FILE *, int, const char *, ...);
int __dprintf_chk(int, int, const char *, ...);
int __vprintf_chk(int, const char *, va_list);
int __vfprintf_chk(FILE *, int, const char *, va_list);
int __vdprintf_chk(int, int, const char *, va_list);
/* Not what the compiler makes of them. */
extern int plain_printf(const char *, ...) __asm__("printf");
extern int plain_fprintf(FILE *, const char *, ...) __asm__("fprintf");
extern int plain_fputs(const char *, FILE *) __asm__("fputs");
extern size_t plain_fwrite(const void *, size_t, size_t, FILE *) __asm__("fwrite");

static int pipes[2];
static char bytes[65536];

static void *reader(void *unused)
{
	nap(1.3);
	MUST(read(pipes[0], bytes, sizeof bytes) == 4096);
	return unused;
}

/* The pipe is full; it is empty after 1.3 units. */
static pthread_t fill(void)
{
	MUST(fcntl(pipes[0], F_SETFL, O_NONBLOCK) == 0);
	while (read(pipes[0], bytes, sizeof bytes) > 0)
		;
	MUST(fcntl(pipes[0], F_SETFL, 0) == 0);
	MUST(write(pipes[1], bytes, 4096) == 4096);
	return thread(reader, NULL);
}

#define WRITES(what, call) \
	do { \
		pthread_t other = fill(); \
		REPORT(1, (what), (call)); \
		join(other); \
	} while (0)
/* With something in the buffer of a new stream. */
#define FLUSHES(what, call) \
	do { \
		FILE *file = fdopen(dup(pipes[1]), "w"); \
		putc('x', file); \
		WRITES(what, call); \
	} while (0)

static FILE *locked;

static void *holder(void *unused)
{
	flockfile(locked);
	nap(2.3);
	funlockfile(locked);
	return unused;
}

static void *opener(void *path)
{
	nap(1.3);
	close(open(path, O_WRONLY));
	nap(1.3);
	close(open(path, O_WRONLY));
	return NULL;
}

int main(void)
{
	MUST(pipe(pipes) == 0 && fcntl(pipes[1], F_SETPIPE_SZ, 4096) == 4096);
	FILE *out = fdopen(pipes[1], "w");
	MUST(setvbuf(out, NULL, _IONBF, 0) == 0);
	stdout = stderr = out;
	/* psiginfo writes to the descriptor. */
	MUST(dup2(pipes[1], 2) == 2);

	WRITES("fputc", fputc('4', out));
	WRITES("putc", putc('4', out));
	WRITES("_IO_putc", _IO_putc('4', out));
	WRITES("fputc_unlocked", fputc_unlocked('4', out));
	WRITES("putc_unlocked", putc_unlocked('4', out));
	WRITES("putchar", putchar('4'));
	WRITES("putchar_unlocked", putchar_unlocked('4'));
	WRITES("__overflow", __overflow(out, '4'));
	WRITES("putw", putw(4, out));
	WRITES("fputs", plain_fputs("four", out) >= 0);
	WRITES("fputs_unlocked", fputs_unlocked("four", out) >= 0);
	WRITES("puts", puts("four") >= 0);
	WRITES("fwrite", plain_fwrite("four", 1, 4, out));
	WRITES("fwrite_unlocked", fwrite_unlocked("four", 1, 4, out));
	WRITES("printf", plain_printf("%d\n", 4));
	WRITES("fprintf", plain_fprintf(out, "%d\n", 4));
	WRITES("vprintf", list(vprintf, "%d\n", 4));
	WRITES("vfprintf", flist(vfprintf, out, "%d\n", 4));
	WRITES("__printf_chk", __printf_chk(1, "%d\n", 4));
	WRITES("__fprintf_chk", __fprintf_chk(out, 1, "%d\n", 4));
	WRITES("__vprintf_chk", flag_list(__vprintf_chk, 1, "%d\n", 4));
	WRITES("__vfprintf_chk", flag_flist(__vfprintf_chk, out, 1, "%d\n", 4));
	WRITES("dprintf", dprintf(pipes[1], "%d\n", 4));
	WRITES("vdprintf", flag_list(vdprintf, pipes[1], "%d\n", 4));
	WRITES("__dprintf_chk", __dprintf_chk(pipes[1], 1, "%d\n", 4));
	WRITES("__vdprintf_chk", flag_dlist(__vdprintf_chk, pipes[1], 1, "%d\n", 4));
	WRITES("perror", ({ perror("four"); 0; }));
	WRITES("psignal", ({ psignal(SIGTERM, "four"); 0; }));
	WRITES("psiginfo", ({ psiginfo(&(siginfo_t){ .si_signo = SIGTERM }, "four"); 0; }));

	/* More than six arguments, and of both kinds. */
	pthread_t other = fill();
	REPORT(1, "printf of many", plain_printf("%d %d %.1f %d %.1f %d %d %.1f %s %d\n", 1, 2, 3.5, 4, 4.5, 6, 7, 8.5, "nine", 10));
	join(other);
	MUST(read(pipes[0], bytes, sizeof bytes) == 30);
	say("%.29s", bytes);

	FLUSHES("fflush", fflush(file));
	FLUSHES("fflush of all", fflush(NULL));
	FLUSHES("fflush_unlocked", fflush_unlocked(file));
	FLUSHES("fseek", fseek(file, 0, SEEK_SET));
	FLUSHES("fseeko", fseeko(file, 0, SEEK_SET));
	FLUSHES("fseeko64", fseeko64(file, 0, SEEK_SET));
	FLUSHES("rewind", ({ rewind(file); 0; }));
	FLUSHES("fsetpos", ({ fpos_t to = { 0 }; fsetpos(file, &to); }));
	FLUSHES("fsetpos64", ({ fpos64_t to = { 0 }; fsetpos64(file, &to); }));
	FLUSHES("freopen", freopen("/dev/null", "w", file) == NULL);
	FLUSHES("freopen64", freopen64("/dev/null", "w", file) == NULL);
	FLUSHES("fclose", fclose(file));

	/* What fits into the buffer stays there. */
	FILE *full = fdopen(dup(pipes[1]), "w");
	putc('x', full);
	other = fill();
	REPORT(0, "into the buffer", plain_fputs("one line\nand another\n", full) >= 0);
	REPORT(0, "one byte more", putc('x', full));
	REPORT(1, "more than fits", plain_fwrite(bytes, 1, 4096, full));
	join(other);

	locked = full;
	other = thread(holder, NULL);
	nap(1);
	REPORT(1, "flockfile", ({ flockfile(full); 0; }));
	funlockfile(full);
	join(other);

	char path[] = "/tmp/guest-fifo-XXXXXX";
	MUST(mkdtemp(path) != NULL && chdir(path) == 0 && mkfifo("fifo", 0600) == 0);
	other = thread(opener, "fifo");
	FILE *file;
	REPORT(1, "fopen", (file = fopen("fifo", "r")) == NULL);
	REPORT(0, "nobody there", getc(file) == EOF);
	fclose(file);
	REPORT(1, "fopen64", (file = fopen64("fifo", "r")) == NULL);
	join(other);
	MUST(unlink("fifo") == 0 && rmdir(path) == 0);

	MUST(setvbuf(out, bytes, _IOFBF, 4096) == 0);
	putc('x', out);
	int end = dup(pipes[1]);
	other = fill();
	REPORT(1, "fcloseall", fcloseall());
	join(other);
	close(end);
	return 0;
}
