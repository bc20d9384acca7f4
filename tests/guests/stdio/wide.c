/* Streams of wide characters. */
#include "stdio.h"

wchar_t *__fgetws_chk(wchar_t *, size_t, int, FILE *);
wchar_t *__fgetws_unlocked_chk(wchar_t *, size_t, int, FILE *);
int __wprintf_chk(int, const wchar_t *, ...);
int __fwprintf_chk(FILE *, int, const wchar_t *, ...);
int __vwprintf_chk(int, const wchar_t *, va_list);
int __vfwprintf_chk(FILE *, int, const wchar_t *, va_list);
#define SCANS(prefix, kind) \
	int prefix##wscanf(const wchar_t *, ...) kind; \
	int prefix##fwscanf(FILE *, const wchar_t *, ...) kind; \
	int prefix##vwscanf(const wchar_t *, va_list) kind; \
	int prefix##vfwscanf(FILE *, const wchar_t *, va_list) kind;
SCANS(__isoc99_, )
SCANS(__isoc23_, __attribute__((weak)))
extern int old_wscanf(const wchar_t *, ...) __asm__("wscanf");
extern int old_fwscanf(FILE *, const wchar_t *, ...) __asm__("fwscanf");
extern int old_vwscanf(const wchar_t *, va_list) __asm__("vwscanf");
extern int old_vfwscanf(FILE *, const wchar_t *, va_list) __asm__("vfwscanf");

static int in[2], out[2];
static char bytes[65536];

static void *writer(void *text)
{
	nap(1.3);
	MUST(write(in[1], text, strlen(text)) == (ssize_t)strlen(text));
	return NULL;
}

#define READS(what, call) \
	do { \
		pthread_t other = thread(writer, "4 \n"); \
		REPORT(1, (what), (call)); \
		join(other); \
		REPORT(0, "the rest", rest()); \
	} while (0)

static wint_t last;

/* The rest of the line, if the call has not taken it. */
static int rest(void)
{
	while (last != L'\n')
		last = getwc(stdin);
	last = 0;
	return 0;
}

static void *reader(void *unused)
{
	nap(1.3);
	MUST(read(out[0], bytes, sizeof bytes) == 4096);
	return unused;
}

static pthread_t fill(void)
{
	MUST(fcntl(out[0], F_SETFL, O_NONBLOCK) == 0);
	while (read(out[0], bytes, sizeof bytes) > 0)
		;
	MUST(fcntl(out[0], F_SETFL, 0) == 0);
	MUST(write(out[1], bytes, 4096) == 4096);
	return thread(reader, NULL);
}

#define WRITES(what, call) \
	do { \
		pthread_t other = fill(); \
		REPORT(1, (what), (call)); \
		join(other); \
	} while (0)

int main(void)
{
	static wchar_t to[100];
	int number = 0;
	MUST(pipe(in) == 0 && pipe(out) == 0 && fcntl(out[1], F_SETPIPE_SZ, 4096) == 4096);
	stdin = fdopen(in[0], "r");
	stdout = fdopen(out[1], "w");
	MUST(setvbuf(stdout, NULL, _IONBF, 0) == 0);

	READS("fgetwc", fgetwc(stdin));
	READS("getwc", getwc(stdin));
	READS("fgetwc_unlocked", fgetwc_unlocked(stdin));
	READS("getwc_unlocked", getwc_unlocked(stdin));
	READS("getwchar", getwchar());
	READS("getwchar_unlocked", getwchar_unlocked());
	READS("fgetws", ({ fgetws(to, 100, stdin); last = L'\n'; wcslen(to); }));
	READS("fgetws_unlocked", ({ fgetws_unlocked(to, 100, stdin); last = L'\n'; wcslen(to); }));
	READS("__fgetws_chk", ({ __fgetws_chk(to, 100, 50, stdin); last = L'\n'; wcslen(to); }));
	READS("__fgetws_unlocked_chk", ({ __fgetws_unlocked_chk(to, 100, 50, stdin); last = L'\n'; wcslen(to); }));
	READS("wscanf", old_wscanf(L"%d", &number));
	READS("fwscanf", old_fwscanf(stdin, L"%d", &number));
	READS("vwscanf", wlist(old_vwscanf, L"%d", &number));
	READS("vfwscanf", fwlist(old_vfwscanf, stdin, L"%d", &number));
	READS("__isoc99_wscanf", __isoc99_wscanf(L"%d", &number));
	READS("__isoc99_fwscanf", __isoc99_fwscanf(stdin, L"%d", &number));
	READS("__isoc99_vwscanf", wlist(__isoc99_vwscanf, L"%d", &number));
	READS("__isoc99_vfwscanf", fwlist(__isoc99_vfwscanf, stdin, L"%d", &number));
	bool new = is_2_38();
	READS("wscanf, C23", (new ? __isoc23_wscanf : wscanf)(L"%d", &number));
	READS("fwscanf, C23", (new ? __isoc23_fwscanf : fwscanf)(stdin, L"%d", &number));
	READS("vwscanf, C23", wlist(new ? __isoc23_vwscanf : vwscanf, L"%d", &number));
	READS("vfwscanf, C23", fwlist(new ? __isoc23_vfwscanf : vfwscanf, stdin, L"%d", &number));

	WRITES("fputwc", fputwc(L'4', stdout));
	WRITES("putwc", putwc(L'4', stdout));
	WRITES("fputwc_unlocked", fputwc_unlocked(L'4', stdout));
	WRITES("putwc_unlocked", putwc_unlocked(L'4', stdout));
	WRITES("putwchar", putwchar(L'4'));
	WRITES("putwchar_unlocked", putwchar_unlocked(L'4'));
	WRITES("fputws", fputws(L"four", stdout) >= 0);
	WRITES("fputws_unlocked", fputws_unlocked(L"four", stdout) >= 0);
	WRITES("wprintf", wprintf(L"%d\n", 4));
	WRITES("fwprintf", fwprintf(stdout, L"%d\n", 4));
	WRITES("vwprintf", wlist(vwprintf, L"%d\n", 4));
	WRITES("vfwprintf", fwlist(vfwprintf, stdout, L"%d\n", 4));
	WRITES("__wprintf_chk", __wprintf_chk(1, L"%d\n", 4));
	WRITES("__fwprintf_chk", __fwprintf_chk(stdout, 1, L"%d\n", 4));
	WRITES("__vwprintf_chk", flag_wlist(__vwprintf_chk, 1, L"%d\n", 4));
	WRITES("__vfwprintf_chk", flag_fwlist(__vfwprintf_chk, stdout, 1, L"%d\n", 4));
	return 0;
}
