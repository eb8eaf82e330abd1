/*
 * name_to_handle_at: the size asked for first, then the handle; open_by_handle_at for root.
 */
#include "guest.h"

int main(void)
{
	const char *path = temp_path("file");
	struct {
		struct file_handle h;
		char space[MAX_HANDLE_SZ];
	} u = {.h.handle_bytes = 0};
	int mount_id = -1;

	close(need(open(path, O_CREAT | O_RDWR, 0600)));
	int r = name_to_handle_at(AT_FDCWD, path, &u.h, &mount_id, 0);
	if (r == -1 && (errno == EOPNOTSUPP || errno == ENOSYS || errno == EPERM))
		skip("file handles: %s", strerror(errno));
	expect(r == -1 && errno == EOVERFLOW, "too small: it wants %u bytes", u.h.handle_bytes);
	expect_eq_long(name_to_handle_at(AT_FDCWD, path, &u.h, &mount_id, 0), 0,
		       "name_to_handle_at");
	show("mount %d, type %d", mount_id, u.h.handle_type);
	hexdump("handle", u.h.f_handle, u.h.handle_bytes);

	int dir = need(open(temp_dir(), O_RDONLY | O_DIRECTORY));
	int fd = open_by_handle_at(dir, &u.h, O_RDWR);
	if (fd >= 0) {
		struct stat a, b;
		need(fstat(fd, &a));
		need(stat(path, &b));
		expect_eq_long(a.st_ino, b.st_ino, "inode");
	} else {
		expect(errno == EPERM || errno == EOPNOTSUPP || errno == ESTALE,
		       "open_by_handle_at is not allowed: %s", strerror(errno));
	}
	expect_errno(name_to_handle_at(AT_FDCWD, temp_path("no"), &u.h, &mount_id, 0), ENOENT);
	u.h.handle_bytes = 100000;
	expect_errno(name_to_handle_at(AT_FDCWD, path, &u.h, &mount_id, 0), EINVAL);
	return done();
}
