/* What the guests of this family share: libc's other names, and lists of arguments. */
#ifndef STDIO_GUEST_H
#define STDIO_GUEST_H

#include "guest.h"
#include <gnu/libc-version.h>
#include <wchar.h>

/* What headers make other names of, or do not tell of any more. */
#undef getc
#undef putc
#undef getchar
#undef putchar
#undef getc_unlocked
#undef putc_unlocked
#undef getchar_unlocked
#undef putchar_unlocked
#undef fgetc_unlocked
#undef fputc_unlocked
#undef fread_unlocked
#undef fwrite_unlocked
#undef fgetwc_unlocked
#undef getwc_unlocked
#undef getwchar_unlocked
#undef fputwc_unlocked
#undef putwc_unlocked
#undef putwchar_unlocked

/* Is glibc new enough for the names that begin with __isoc23? (Whether they are there does not tell: a library may have them.) */
__attribute__((unused)) static bool is_2_38(void)
{
	return strverscmp(gnu_get_libc_version(), "2.38") >= 0;
}

/* Calls a function that takes a list. */
#define WITH_LIST(name, letter) \
	__attribute__((unused)) static int name(int (*function)(const letter *, va_list), const letter *format, ...) \
	{ \
		va_list list; \
		va_start(list, format); \
		int answer = function(format, list); \
		va_end(list); \
		return answer; \
	} \
	__attribute__((unused)) static int f##name(int (*function)(FILE *, const letter *, va_list), FILE *file, \
						   const letter *format, ...) \
	{ \
		va_list list; \
		va_start(list, format); \
		int answer = function(file, format, list); \
		va_end(list); \
		return answer; \
	} \
	__attribute__((unused)) static int flag_##name(int (*function)(int, const letter *, va_list), int flag, \
						       const letter *format, ...) \
	{ \
		va_list list; \
		va_start(list, format); \
		int answer = function(flag, format, list); \
		va_end(list); \
		return answer; \
	} \
	__attribute__((unused)) static int flag_f##name(int (*function)(FILE *, int, const letter *, va_list), FILE *file, int flag, \
							const letter *format, ...) \
	{ \
		va_list list; \
		va_start(list, format); \
		int answer = function(file, flag, format, list); \
		va_end(list); \
		return answer; \
	} \
	__attribute__((unused)) static int flag_d##name(int (*function)(int, int, const letter *, va_list), int fd, int flag, \
							const letter *format, ...) \
	{ \
		va_list list; \
		va_start(list, format); \
		int answer = function(fd, flag, format, list); \
		va_end(list); \
		return answer; \
	}

WITH_LIST(list, char)
WITH_LIST(wlist, wchar_t)

#endif
