/* Gives every file of the directories named to the fuzz target, once: where there is no libFuzzer,
 * the kept corpus is a test nevertheless. Fails if there is none. */
#include <dirent.h>
#include <fcntl.h>
#include <stdbool.h>
#include <stdint.h>
#include <stdio.h>
#include <sys/stat.h>
#include <unistd.h>

#include "util/alloc.h"
#include "util/cleanup.h"
#include "util/os.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

/* True if the file was read and given to the target. */
static bool run(int directory, const char *name)
{
	int fd _cleanup_fd_ = openat(directory, name, O_RDONLY | O_CLOEXEC);
	struct stat status;
	size_t got;

	if (fd < 0 || fstat(fd, &status) || !S_ISREG(status.st_mode))
		return false;
	/* Exactly as large as the input: a sanitizer then sees what reads behind it. */
	uint8_t *input _cleanup_free_ = xmalloc(status.st_size);

	if (os_pread_all(fd, input, status.st_size, 0, &got))
		return false;
	LLVMFuzzerTestOneInput(input, got);
	return true;
}

int main(int argc, char **argv)
{
	unsigned inputs = 0;

	for (int i = 1; i < argc; i++) {
		DIR *directory = opendir(argv[i]);

		if (!directory) {
			perror(argv[i]);
			return 1;
		}
		for (struct dirent *entry; (entry = readdir(directory));)
			inputs += run(dirfd(directory), entry->d_name);
		closedir(directory);
	}
	printf("%u inputs\n", inputs);
	return inputs ? 0 : 1;
}
