/* The vDSO's functions found as vdso(7) says, without libc. */
#ifndef VDSO_H
#define VDSO_H

#include <elf.h>
#include <sys/auxv.h>

/* The function called so in the image at `base`. It has few symbols, so all of them are looked at. */
__attribute__((unused)) static void *vdso_function(uintptr_t base, const char *wanted)
{
	const Elf64_Ehdr *header = (const void *)base;
	const Elf64_Phdr *segments = (const void *)(base + header->e_phoff);
	uintptr_t bias = 0, dynamic = 0;
	for (int i = 0; i < header->e_phnum; i++) {
		if (segments[i].p_type == PT_LOAD)
			bias = base + segments[i].p_offset - segments[i].p_vaddr;
		else if (segments[i].p_type == PT_DYNAMIC)
			dynamic = base + segments[i].p_offset;
	}
	const Elf64_Sym *symbols = NULL;
	const char *strings = NULL;
	for (const Elf64_Dyn *entry = (const void *)dynamic; entry->d_tag != DT_NULL; entry++) {
		if (entry->d_tag == DT_SYMTAB)
			symbols = (const void *)(bias + entry->d_un.d_ptr);
		else if (entry->d_tag == DT_STRTAB)
			strings = (const void *)(bias + entry->d_un.d_ptr);
	}
	for (const Elf64_Sym *symbol = symbols; (const char *)symbol < strings; symbol++)
		if (symbol->st_value != 0 && strcmp(strings + symbol->st_name, wanted) == 0)
			return (void *)(bias + symbol->st_value);
	return NULL;
}

__attribute__((unused)) static void *own_vdso_function(const char *wanted)
{
	uintptr_t base = getauxval(AT_SYSINFO_EHDR);
	MUST(base != 0);
	void *function = vdso_function(base, wanted);
	if (function == NULL)
		say("FAIL no %s", wanted);
	MUST(function != NULL);
	return function;
}

typedef int (*read_clock)(clockid_t, struct timespec *);
typedef int (*read_day)(struct timeval *, struct timezone *);
typedef time_t (*read_time)(time_t *);

__attribute__((unused)) static int64_t now_by(read_clock read, clockid_t clock)
{
	struct timespec t;
	MUST(read(clock, &t) == 0);
	return ns_of(t);
}

/* Are these three readings, made one after the other, in order? */
#define BETWEEN(low, middle, high) ((low) <= (middle) && (middle) <= (high))

#endif
