/*
 * Standard input read through stdio, arguments, environment and the auxiliary vector.
 *
 * guest: args --first second 3
 * guest: stdin a line of text 42 3.5
 */
#include "guest.h"
#include <sys/auxv.h>

extern char **environ;

int main(int argc, char **argv)
{
	char line[256] = "", word[32];
	int number = 0;
	double real = 0;

	show("%d arguments, argv at %p", argc, (void *)argv);
	for (int i = 0; i < argc; i++)
		show("argv[%d] = %s", i, argv[i]);
	expect(argc >= 4 && strcmp(argv[1], "--first") == 0, "arguments as given");
	expect(argv[argc] == NULL, "a null pointer ends them");
	int count = 0;
	uint64_t hash = 0;
	for (char **e = environ; *e; e++, count++)
		hash = hash * 31 + hash_bytes(*e, strlen(*e));
	show("%d environment variables, hash %016lx, PATH %s", count, (unsigned long)hash,
	     getenv("PATH"));
	for (int type = 3; type < 52; type++) {
		errno = 0;
		unsigned long value = getauxval(type);
		if (errno == 0)
			show("auxv %d: %lx", type, value);
	}
	expect_eq_long(getauxval(AT_PAGESZ), sysconf(_SC_PAGESIZE), "AT_PAGESZ");
	expect_eq_long(getauxval(AT_UID), getuid(), "AT_UID");
	show("AT_EXECFN %s, AT_PLATFORM %s", (char *)getauxval(AT_EXECFN),
	     (char *)getauxval(AT_PLATFORM));

	expect(fgets(line, sizeof(line), stdin) != NULL, "a line: %.*s", (int)strcspn(line, "\n"),
	       line);
	expect_eq_long(sscanf(line, "a line of %31s %d %lf", word, &number, &real), 3, "fields");
	expect(strcmp(word, "text") == 0 && number == 42 && real == 3.5, "their values");
	expect(fgets(line, sizeof(line), stdin) == NULL && feof(stdin), "end of the input");
	expect_eq_long(read(0, line, sizeof(line)), 0, "read of standard input");
	return done();
}
