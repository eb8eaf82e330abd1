/*
 * The C library's streams: buffering modes, seeking, getline, fscanf, tmpfile, fmemopen, freopen.
 */
#include "guest.h"

int main(void)
{
	FILE *f = fopen(temp_path("file"), "w+");
	char *line = NULL, buf[256];
	size_t size = 0;
	long sum = 0, value;

	need(f ? 0 : -1);
	for (int i = 0; i < 3000; i++)
		fprintf(f, "%d %x\n", i, i * i);
	show("at %ld", ftell(f));
	expect_eq_long(fseek(f, 0, SEEK_SET), 0, "fseek");
	int lines = 0;
	while (getline(&line, &size, f) > 0)
		lines++;
	expect_eq_long(lines, 3000, "lines");
	rewind(f);
	while (fscanf(f, "%ld %*x", &value) == 1)
		sum += value;
	expect_eq_long(sum, 2999L * 3000 / 2, "sum");
	expect_eq_long(feof(f), 1, "feof");
	expect_eq_long(fseek(f, -10, SEEK_END), 0, "fseek from the end");
	size_t n = fread(buf, 1, sizeof(buf), f);
	expect(n == 10 && buf[9] == '\n', "the last ten bytes: %.9s", buf);
	expect_eq_long(fclose(f), 0, "fclose");

	f = fopen(temp_path("file"), "a");
	setvbuf(f, NULL, _IONBF, 0);
	fputs("un", f);
	fputs("buffered", f);
	setvbuf(f, NULL, _IOLBF, 0);
	struct stat st;
	need(fstat(fileno(f), &st));
	show("size %ld", (long)st.st_size);
	fclose(f);
	f = tmpfile();
	expect(f != NULL && fputc('t', f) == 't', "tmpfile, descriptor %d", fileno(f));
	fclose(f);
	f = fmemopen(buf, sizeof(buf), "w+");
	fprintf(f, "in memory %d", 77);
	fflush(f);
	expect(strcmp(buf, "in memory 77") == 0, "%s", buf);
	fclose(f);
	expect(fopen(temp_path("absent"), "r") == NULL && errno == ENOENT, "fopen of nothing");
	char name[PATH_MAX];
	snprintf(name, sizeof(name), "%s", temp_path("made-XXXXXX"));
	int fd = need(mkstemp(name));
	show("mkstemp made %s, descriptor %d", name + strlen(temp_dir()) + 1, fd);
	free(line);
	printf("printed by printf\n");
	fflush(stdout);
	fputs("to standard error, unbuffered\n", stderr);
	return done();
}
