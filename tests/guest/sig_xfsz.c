/* SIGXFSZ: writing beyond RLIMIT_FSIZE; handled, ignored, and fatal. */
#include "guest_task.h"
#include <sys/resource.h>

static volatile int hits;

static void handler(int sig, siginfo_t *si, void *uc)
{
	hits++;
}

int main(void)
{
	struct rlimit limit;
	char data[3000] = {0};
	int fd = need(open(temp_path("file"), O_RDWR | O_CREAT | O_CLOEXEC, 0600));

	need(getrlimit(RLIMIT_FSIZE, &limit));
	limit.rlim_cur = 4096;
	struct rlimit core = {0, 0};
	need(setrlimit(RLIMIT_CORE, &core));

	pid_t pid = need(fork());
	if (pid == 0) {
		/* Only here: standard output may be a file. */
		expect_eq_long(write(fd, data, sizeof(data)), 3000, "first write");
		handle(SIGXFSZ, handler, 0);
		need(setrlimit(RLIMIT_FSIZE, &limit));
		long part = write(fd, data, sizeof(data));
		int err = 0;
		long none = write(fd, data, 1);
		err = errno;
		long cut = ftruncate(fd, 10000);
		int cut_err = errno;
		limit.rlim_cur = limit.rlim_max;
		need(setrlimit(RLIMIT_FSIZE, &limit));
		expect_eq_long(part, 1096, "bytes up to the limit");
		expect(none == -1 && err == EFBIG, "write beyond: %s", strerror(err));
		expect(cut == -1 && cut_err == EFBIG, "ftruncate beyond: %s", strerror(cut_err));
		expect_eq_long(hits, 2, "SIGXFSZ");
		_exit(done());
	}
	expect_child(pid, 0);
	pid = need(fork());
	if (pid == 0) {
		signal(SIGXFSZ, SIG_DFL);
		setrlimit(RLIMIT_FSIZE, &limit);
		(void)!write(fd, data, sizeof(data));
		_exit(1);
	}
	int status = wait_status(pid, 0);
	expect(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ, "killed by SIGXFSZ");
	struct stat st;
	need(fstat(fd, &st));
	expect_eq_long(st.st_size, 4096, "size of the file");
	return done();
}
