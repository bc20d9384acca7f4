/* Cancellation of calls on streams: the thread is unwound through libc's frames and, where there are many arguments, through
 * those that collect them. */
#include "cancel/points.h"

static FILE *in, *out;
static char text[64], *line;
static size_t size;

static void by_getc(void) { getc(in); }
static void by_fgets(void) { MUST(fgets(text, sizeof text, in)); }
static void by_getline(void) { MUST(getline(&line, &size, in)); }
static void by_fread(void) { MUST(fread(text, 1, 9, in)); }
static void by_fscanf(void) { int n; MUST(fscanf(in, "%d", &n)); }
static void by_putc(void) { putc('x', out); }
static void by_fputs(void) { fputs("text", out); }
static void by_fwrite(void) { fwrite(text, 1, 9, out); }
static void by_fprintf(void) { fprintf(out, "%d %d %d %d %d %d %d %s\n", 1, 2, 3, 4, 5, 6, 7, "eight"); }
static void by_dprintf(void) { dprintf(fileno(out), "%d\n", 1); }

int main(void)
{
	int empty[2], full[2];
	MUST(pipe(empty) == 0 && pipe(full) == 0 && fcntl(full[1], F_SETPIPE_SZ, 4096) == 4096);
	static char bytes[4096];
	MUST(write(full[1], bytes, 4096) == 4096);
	in = fdopen(empty[0], "r");
	out = fdopen(full[1], "w");
	setvbuf(out, NULL, _IONBF, 0);
	struct point points[] = {
		{ "getc", by_getc, NULL },
		{ "fgets", by_fgets, NULL },
		{ "getline", by_getline, NULL },
		{ "fread", by_fread, NULL },
		{ "fscanf", by_fscanf, NULL },
		{ "putc", by_putc, NULL },
		{ "fputs", by_fputs, NULL },
		{ "fwrite", by_fwrite, NULL },
		{ "fprintf", by_fprintf, NULL },
		{ "dprintf", by_dprintf, NULL },
	};
	TRY(points);
	return 0;
}
