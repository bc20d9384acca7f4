/* lines HOW: answers each line of standard input by the same line. Its only waits are those inside stdio, or none that a library
 * sees. */
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <wchar.h>

static char *line;
static size_t size = 4096;
static wchar_t wide[4096];

static int in_line(void)
{
	long got, n = 0;
	do {
		__asm__ volatile("syscall" : "=a"(got) : "a"(SYS_read), "D"(0), "S"(line + n), "d"(1) : "rcx", "r11", "memory");
		n += got;
	} while (got == 1 && line[n - 1] != '\n');
	line[n] = 0;
	return got == 1;
}

static int by_bytes(int (*next)(FILE *))
{
	int c, n = 0;
	while ((c = next(stdin)) != EOF && c != '\n')
		line[n++] = c;
	line[n++] = '\n';
	line[n] = 0;
	return c != EOF;
}

static int take(const char *how)
{
	int n;
	if (strcmp(how, "fgets") == 0)
		return fgets(line, size, stdin) != NULL;
	if (strcmp(how, "getline") == 0)
		return getline(&line, &size, stdin) > 0;
	if (strcmp(how, "getc") == 0)
		return by_bytes(getc);
	if (strcmp(how, "getc_unlocked") == 0)
		return by_bytes(getc_unlocked);
	if (strcmp(how, "scanf") == 0)
		return (n = scanf("%4000[^\n]%*c", line)) == 1 && strcat(line, "\n");
	if (strcmp(how, "fread") == 0)
		return (n = fread(line, 1, 2, stdin)) == 2 && (line[2] = 0, 1);
	if (strcmp(how, "fgetws") == 0)
		return fgetws(wide, size, stdin) != NULL && wcstombs(line, wide, size) > 0;
	return in_line();
}

int main(int argc, char **argv)
{
	line = malloc(size);
	while (take(argv[argc - 1])) {
		fputs(line, stdout);
		fflush(stdout);
	}
	return 0;
}
