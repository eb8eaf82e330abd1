/* Where the lines of a trace go: a buffer in front of a file, or of standard error.
 * Invariants: what was appended is written in order, by whoever calls flush; the first failure
 * stays (a full disk, a closed pipe) and nothing is written after it. */
#include <errno.h>
#include <fcntl.h>
#include <unistd.h>

#include "live/trace_tool.h"
#include "util/cleanup.h"

struct error *trace_output_open(struct trace_output *output, const char *path, int more)
{
	*output = (struct trace_output){.path = path, .fd = STDERR_FILENO};
	if (!path)
		return NULL;
	output->fd = open(path, O_WRONLY | O_CREAT | O_CLOEXEC | more | O_NOCTTY, 0666);
	if (output->fd < 0)
		return error_hint(error_os(errno, "cannot open %s for the trace", path),
				  "name another file with -o");
	return NULL;
}

void trace_output_close(struct trace_output *output)
{
	if (output->path && output->fd >= 0)
		close(output->fd);
	vec_deinit(&output->text);
}

void trace_output_flush(struct trace_output *output)
{
	size_t done = 0;

	while (done < output->text.count && !output->errnum) {
		ssize_t put =
			write(output->fd, output->text.items + done, output->text.count - done);

		if (put >= 0)
			done += (size_t)put;
		else if (errno != EINTR)
			output->errnum = errno;
	}
	output->written += output->text.count;
	vec_clear(&output->text);
}

struct error *trace_output_error(const struct trace_output *output)
{
	if (!output->errnum)
		return NULL;
	return error_os(output->errnum,
			"cannot write to %s: what was done from there on is not shown",
			output->path ? output->path : "standard error");
}
