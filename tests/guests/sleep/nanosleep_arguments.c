/* nanosleep(2), ERRORS: EINVAL for fields out of range, EFAULT for memory that is not there; both without waiting. */
#include "guest.h"

int main(void)
{
	struct {
		const char *what;
		struct timespec t;
	} table[] = {
		{ "negative seconds", { -1, 0 } },
		{ "negative nanoseconds", { 0, -1 } },
		{ "negative nanoseconds, seconds fine", { 5, -1 } },
		{ "a second of nanoseconds", { 0, 1000000000 } },
		{ "more of them", { 1, 2000000000 } },
		{ "both negative", { -1, -1 } },
		{ "least of all", { INT64_MIN, 0 } },
		{ "least nanoseconds", { 0, INT64_MIN } },
		{ "greatest nanoseconds", { 0, INT64_MAX } },
		{ "zero", { 0, 0 } },
		{ "one", { 0, 1 } },
	};
	for (size_t i = 0; i < sizeof table / sizeof *table; i++) {
		GUARDED(struct timespec) left;
		guard(&left);
		say("%s: %s, %s", table[i].what, RESULT(nanosleep(&table[i].t, NULL)),
		    RESULT(nanosleep(&table[i].t, &left.value)));
		if (!guard_untouched(&left))
			say("FAIL the remaining time was written");
	}
	/* Through variables, or the compiler complains about what is tested here. */
	struct timespec *volatile nowhere = NULL, *volatile elsewhere = (struct timespec *)8;
	struct timespec tiny = { 0, 1 };
	say("no request: %s", RESULT(nanosleep(nowhere, NULL)));
	say("a bad pointer: %s", RESULT(nanosleep(elsewhere, NULL)));
	say("a bad pointer for what remains, not needed: %s", RESULT(nanosleep(&tiny, elsewhere)));

	errno = 77;
	MUST(nanosleep(&tiny, NULL) == 0);
	say("errno is left alone by success: %d", errno == 77);
	return 0;
}
