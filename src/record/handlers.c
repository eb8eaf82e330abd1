/* Irregular calls while recording: what they need beyond their row. One function each, found
 * through the row's handler. */
#include <errno.h>
#include <fcntl.h>
#include <linux/close_range.h>
#include <linux/sched.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/resource.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/syscall.h>
#include <sys/sysmacros.h>
#include <unistd.h>

#include "record/session.h"
#include "syscalls/advice.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

#define PAGE 4096

/* Since Linux 6.1 (include/uapi/asm-generic/mman-common.h). */
#define ADVICE_COLLAPSE 25

static uint64_t arg(const struct rec_task *t, int index)
{
	return t->call.call.args[index];
}

/* Results up to -4095 are errors; addresses are not. */
static bool failed(const struct rec_task *t)
{
	return t->call.call.result < 0 && t->call.call.result >= -4095;
}

/* An argument that was changed for the kernel is the program's own again. */
static void restore_arg(struct rec_task *t, int index)
{
	arch.set_call_arg(tracee_regs_mut(&t->tracee), index, arch.call_arg(&t->call.entry, index));
}

/* ---- the address space ---- */

static void mapping_datum(struct rec_session *s, struct rec_task *t, taddr start, taddr end,
			  uint32_t file, uint32_t flags)
{
	struct trace_mapping mapping = {.start = start, .end = end, .file = file, .flags = flags};

	rec_datum(s, t, TRACE_D_MAPPING, 0, &mapping, sizeof(mapping));
}

static bool is_zero_device(const struct stat *status)
{
	return S_ISCHR(status->st_mode) && status->st_rdev == makedev(1, 5);
}

static void tell_refused(struct rec_session *s, const struct stat *status)
{
	if (S_ISCHR(status->st_mode))
		rec_tell_once(s, REC_TOLD_DEVICE, status->st_rdev,
			      "mapping the device %u:%u into memory is not supported: it was "
			      "answered with ENODEV",
			      major(status->st_rdev), minor(status->st_rdev));
	else
		rec_tell_once(s, REC_TOLD_SOCKET, 0,
			      "mapping a socket into memory is not supported: it was answered with "
			      "ENODEV");
}

/* Is it of a file other than the zero device? */
static bool maps_file(struct rec_task *t, struct stat *status)
{
	return !(arg(t, 3) & MAP_ANONYMOUS) &&
	       proc_fd_stat(t->tracee.tid, (int)arg(t, 4), status) && !is_zero_device(status);
}

/* Memory of devices (graphics, sound, performance counters) and the rings of sockets (packet(7))
 * change by themselves. */
static bool changes_by_itself(const struct stat *status)
{
	return S_ISCHR(status->st_mode) || S_ISSOCK(status->st_mode);
}

/* Most devices cannot be mapped anyhow, and only the kernel knows: so what can is taken away again,
 * and the program told that this cannot be mapped. */
static bool refuse_device(struct rec_session *s, struct rec_task *t, const struct stat *status)
{
	if (!changes_by_itself(status))
		return false;
	tell_refused(s, status);
	tracee_callv(&t->tracee, SYS_munmap, (uint64_t)t->call.call.result, arg(t, 1));
	t->call.call.result = -ENODEV;
	arch.set_call_result(tracee_regs_mut(&t->tracee), -ENODEV);
	return true;
}

/* Keeps what a mapping is of; its id, or TRACE_NO_FILE with the memory recorded. */
static uint32_t keep_mapped(struct rec_session *s, struct rec_task *t, const struct stat *status,
			    bool shared)
{
	int number = (int)arg(t, 4), flags = 0;
	char link[64], path[TRACE_FILE_PATH + 1];
	uint32_t file = TRACE_NO_FILE;
	int64_t position;

	snprintf(link, sizeof(link), "/proc/%d/fd/%d", t->tracee.tid, number);
	ssize_t length = readlink(link, path, TRACE_FILE_PATH);

	path[length < 0 ? 0 : length] = 0;
	proc_fd_info(t->tracee.tid, number, &position, &flags);
	if (S_ISREG(status->st_mode)) { /* block devices: as memory */
		int fd _cleanup_fd_ = proc_fd_reopen(t->tracee.tid, number, O_RDONLY);
		struct stat whole = *status;

		if (fd >= 0)
			fstat(fd,
			      &whole); /* its size and times, which the kernel may have to ask for */
		file = rec_map_file(s, t, fd, path, &whole, shared, (flags & O_ACCMODE) == O_RDWR);
	}
	if (file == TRACE_NO_FILE)
		rec_memory(s, t, TRACE_D_MEMORY, (taddr)t->call.call.result, arg(t, 1));
	return file;
}

/* The kernel may empty droppable memory at any time, or never. What a device's memory would be put
 * over could not be brought back. */
static enum rec_verdict mmap_enter(struct rec_session *s, struct rec_task *t)
{
	uint64_t flags = arg(t, 3) & ~(uint64_t)MAP_TYPE;
	struct stat status = {0};

	if ((arg(t, 3) & MAP_FIXED) && maps_file(t, &status) && changes_by_itself(&status)) {
		tell_refused(s, &status);
		rec_answer(s, t, -ENODEV);
		return REC_ANSWERED;
	}
	if ((arg(t, 3) & MAP_TYPE) == WARP_MAP_DROPPABLE)
		arch.set_call_arg(tracee_regs_mut(&t->tracee), 3, flags | MAP_PRIVATE);
	return REC_MAKE;
}

static void mmap_exit(struct rec_session *s, struct rec_task *t)
{
	uint64_t type = arg(t, 3) & MAP_TYPE;
	bool shared = type != MAP_PRIVATE && type != WARP_MAP_DROPPABLE;
	taddr start = (taddr)t->call.call.result;
	uint32_t file = TRACE_NO_FILE;
	struct stat status = {0};

	restore_arg(t, 3);
	if (failed(t))
		return;
	bool of_file = maps_file(t, &status);

	if (of_file && refuse_device(s, t, &status))
		return;
	if (of_file)
		file = keep_mapped(s, t, &status, shared);
	else
		t->mm->shares |= shared;
	mapping_datum(s, t, start, start + arg(t, 1), file, shared && !of_file ? MAP_SHARED : 0);
}

/* The new end of the heap: replay maps or unmaps the pages between. */
static void brk_exit(struct rec_session *s, struct rec_task *t)
{
	taddr now = (taddr)t->call.call.result;

	mapping_datum(s, t, t->mm->brk, now, TRACE_NO_FILE, 0);
	t->mm->brk = now;
}

/* What the kernel calls private and anonymous: vma_is_anonymous() in include/linux/mm.h. */
static bool is_anonymous(const struct proc_map *map)
{
	static const char *const of_the_kernel[] = {"[vdso]", "[vvar]", "[vvar_vclock]"};

	for (size_t i = 0; i < sizeof(of_the_kernel) / sizeof(*of_the_kernel); i++)
		if (!strcmp(map->name, of_the_kernel[i]))
			return false;
	return !map->shared && (!map->inode || !strcmp(map->name, "/dev/zero"));
}

/* The first address in the range that is mapped and not private and anonymous; `end` if none is. */
static taddr first_of_others(struct rec_task *t, taddr start, taddr end)
{
	struct proc_maps maps = {0};
	taddr found = end;

	proc_read_maps(t->tracee.tid, &maps);
	vec_foreach (&maps, map)
		if (map->start < found && map->end > start && !is_anonymous(map))
			found = map->start > start ? map->start : start;
	proc_maps_deinit(&maps);
	return found;
}

/* MADV_FREE lets the kernel choose when pages become zero; MADV_DONTNEED does it now, which is one
 * of the outcomes that a program must expect. But MADV_FREE is for private anonymous memory only
 * (madvise_free_single_vma() in mm/madvise.c): of the rest it is asked, and keeps what lies before,
 * which is an outcome, too. */
static enum rec_verdict madvise_enter(struct rec_session *s, struct rec_task *t)
{
	taddr start = arg(t, 0), end = start + arg(t, 1);

	if (arg(t, 2) != MADV_FREE || end <= start || start % PAGE)
		return REC_MAKE;
	taddr other = first_of_others(t, start, end);

	if (other == end) {
		arch.set_call_arg(tracee_regs_mut(&t->tracee), 2, MADV_DONTNEED);
	} else {
		arch.set_call_arg(tracee_regs_mut(&t->tracee), 0, other);
		arch.set_call_arg(tracee_regs_mut(&t->tracee), 1, end - other);
	}
	return REC_MAKE;
}

/* How far the kernel came, one mapping after the other, before it failed: locked or sealed memory
 * stops it, a file that must not be written, a kind of memory that it cannot do this to. All that
 * it has done it does once more, which changes nothing. */
static taddr changed_up_to(struct rec_task *t, const struct proc_maps *maps, taddr start, taddr end)
{
	struct regs regs = *tracee_regs(&t->tracee);
	struct sc_call call = sc_call_of(t->call.call.nr, &regs);
	taddr done = start;

	vec_foreach (maps, map) {
		if (map->end <= start || map->start >= end)
			continue;
		call.args[0] = map->start > start ? map->start : start;
		call.args[1] = (map->end < end ? map->end : end) - call.args[0];
		if (tracee_call(&t->tracee, call.nr, call.args) < 0)
			break;
		done = call.args[0] + call.args[1];
	}
	return done;
}

static bool has_hole(const struct proc_maps *maps, taddr start, taddr end)
{
	vec_foreach (maps, map)
		if (map->start <= start && map->end > start)
			start = map->end;
	return start < end;
}

/* What a call on a range did before it failed. That there is a hole (ENOMEM) a replay sees; a limit
 * that the program has run into (the same) is not there. */
static void partial_datum(struct rec_session *s, struct rec_task *t)
{
	const struct regs *regs = tracee_regs(&t->tracee);
	taddr start = arch.call_arg(regs, 0), end = start + arch.call_arg(regs, 1), done = start;
	struct proc_maps maps _cleanup_(proc_maps_deinit) = {0};

	end = (end + PAGE - 1) & ~(taddr)(PAGE - 1);
	if (!failed(t) || start % PAGE || end <= start)
		return;
	proc_read_maps(t->tracee.tid, &maps);
	if (t->call.call.result != -ENOMEM || !has_hole(&maps, start, end))
		done = changed_up_to(t, &maps, start, end);
	if (done > start)
		mapping_datum(s, t, start, done, TRACE_NO_FILE, 0);
}

static void madvise_exit(struct rec_session *s, struct rec_task *t)
{
	if (sc_advice_lasts(arg(t, 2)))
		partial_datum(s, t);
	for (int i = 0; i < 3; i++)
		restore_arg(t, i);
}

/* These look at the mapping that the range begins in before anything is done. */
static void mprotect_exit(struct rec_session *s, struct rec_task *t)
{
	if (!(arg(t, 2) & (PROT_GROWSDOWN | PROT_GROWSUP)))
		partial_datum(s, t);
}

/* Arguments 0 and 1 were looked at: this is where the memory is to go. */
static enum rec_verdict mremap_enter(struct rec_session *s, struct rec_task *t)
{
	if (!(arg(t, 3) & MREMAP_FIXED) || !rec_is_ours(t, arg(t, 4), arg(t, 2)))
		return REC_MAKE;
	rec_answer_ours(s, t);
	return REC_ANSWERED;
}

/* What the kernels before 6.13 let a process advise, which is nothing that changes contents
 * (process_madvise_behavior_valid() in mm/madvise.c). */
static enum rec_verdict process_madvise_enter(struct rec_session *s, struct rec_task *t)
{
	static const int allowed[] = {MADV_WILLNEED, MADV_COLD, MADV_PAGEOUT, ADVICE_COLLAPSE};

	for (size_t i = 0; i < sizeof(allowed) / sizeof(*allowed); i++)
		if ((int)arg(t, 3) == allowed[i])
			return REC_MAKE;
	rec_answer(s, t, -EINVAL);
	return REC_ANSWERED;
}

/* How long a segment is taken to be that we may not ask about. */
#define SEGMENT_UNKNOWN (1ull << 30)

/* SHM_REMAP takes the place of what is there. */
static enum rec_verdict shmat_enter(struct rec_session *s, struct rec_task *t)
{
	struct shmid_ds segment = {.shm_segsz = SEGMENT_UNKNOWN};

	if (!(arg(t, 2) & SHM_REMAP))
		return REC_MAKE;
	if (!rec_shares_ipc(t) || shmctl((int)arg(t, 0), IPC_STAT, &segment) < 0)
		segment.shm_segsz = SEGMENT_UNKNOWN;
	if (!rec_is_ours(t, arg(t, 1), segment.shm_segsz))
		return REC_MAKE;
	rec_answer_ours(s, t);
	return REC_ANSWERED;
}

/* The end of the segment that is attached there, or the address itself. Only /proc knows: a
 * segment's number means something in the program's own IPC namespace, and shmdt does not say how
 * long it is. */
static taddr segment_end(struct rec_task *t, taddr start)
{
	struct proc_maps maps = {0};
	taddr end = start;

	proc_read_maps(t->tracee.tid, &maps);
	vec_foreach (&maps, map)
		if (map->start == end && map->offset == end - start &&
		    !strncmp(map->name, "/SYSV", 5))
			end = map->end;
	proc_maps_deinit(&maps);
	return end;
}

static void shmat_exit(struct rec_session *s, struct rec_task *t)
{
	if (failed(t))
		return;
	taddr start = (taddr)t->call.call.result, end = segment_end(t, start);

	if (end == start) {
		rec_fail(s, error_new("cannot find the System V shared memory %d that the program "
				      "attached at %#llx in /proc/%d/maps: it would be missing in "
				      "the replay; record again with a /proc that lists it",
				      (int)arg(t, 0), (unsigned long long)start, t->tracee.tid));
		return;
	}
	uint32_t file = rec_map_segment(s, t, (int)arg(t, 0), start, end - start);

	mapping_datum(s, t, start, end, file, 0);
}

static enum rec_verdict shmdt_enter(struct rec_session *s, struct rec_task *t)
{
	t->call.note = (int64_t)segment_end(t, arg(t, 0));
	return REC_MAKE;
}

static void shmdt_exit(struct rec_session *s, struct rec_task *t)
{
	mapping_datum(s, t, arg(t, 0), (taddr)t->call.note, TRACE_NO_FILE, 0);
}

/* ---- tasks ---- */

static enum rec_verdict fork_enter(struct rec_session *s, struct rec_task *t)
{
	t->call.clone = (struct rec_clone){.asked = true, .flags = SIGCHLD};
	return REC_MAKE_ENTER;
}

static enum rec_verdict vfork_enter(struct rec_session *s, struct rec_task *t)
{
	t->call.clone =
		(struct rec_clone){.asked = true, .flags = CLONE_VFORK | CLONE_VM | SIGCHLD};
	return REC_MAKE_ENTER;
}

/* CLONE_UNTRACED would let the child escape. */
static enum rec_verdict clone_enter(struct rec_session *s, struct rec_task *t)
{
	t->call.clone = (struct rec_clone){.asked = true,
					   .flags = (uint32_t)arg(t, 0),
					   .parent_tid = arg(t, 2),
					   .child_tid = arg(t, 3)};
	if (arg(t, 0) & CLONE_UNTRACED)
		arch.set_call_arg(tracee_regs_mut(&t->tracee), 0,
				  arg(t, 0) & ~(uint64_t)CLONE_UNTRACED);
	return REC_MAKE_ENTER;
}

static enum rec_verdict clone3_enter(struct rec_session *s, struct rec_task *t)
{
	struct clone_args args = {0};

	tracee_read(&t->tracee, arg(t, 0), &args,
		    arg(t, 1) < sizeof(args) ? arg(t, 1) : sizeof(args));
	t->call.clone = (struct rec_clone){.asked = true,
					   .flags = args.flags,
					   .parent_tid = args.parent_tid,
					   .child_tid = args.child_tid};
	if (!(args.flags & CLONE_UNTRACED))
		return REC_MAKE_ENTER;
	rec_answer(s, t, -EPERM);
	return REC_ANSWERED;
}

static void clone_exit(struct rec_session *s, struct rec_task *t)
{
	restore_arg(t, 0);
}

/* The last event of the task before its TRACE_EV_TASK_EXIT. */
static enum rec_verdict exit_enter(struct rec_session *s, struct rec_task *t)
{
	rec_commit_enter(s, t);
	rec_resume_in_call(t, PTRACE_CONT);
	return REC_NO_EXIT;
}

static enum rec_verdict exit_group_enter(struct rec_session *s, struct rec_task *t)
{
	t->leader->dying = true;
	exit_enter(s, t);
	rec_await(s, t); /* at its exit stop the other threads have their SIGKILL */
	return REC_NO_EXIT;
}

static void unshare_exit(struct rec_session *s, struct rec_task *t)
{
	if (!failed(t) && (arg(t, 0) & CLONE_FILES))
		rec_agent_unshare_files(t);
}

static void close_range_exit(struct rec_session *s, struct rec_task *t)
{
	if (!failed(t) && (arg(t, 2) & CLOSE_RANGE_UNSHARE))
		rec_agent_unshare_files(t);
}

/* The program is where it believes to be bound to. */
static void getcpu_exit(struct rec_session *s, struct rec_task *t)
{
	uint32_t cpu;

	if (!arg(t, 0) || tracee_read(&t->tracee, arg(t, 0), &cpu, sizeof(cpu)) != sizeof(cpu) ||
	    cpu >= CPU_SETSIZE || CPU_ISSET(cpu, &t->affinity))
		return;
	for (cpu = 0; cpu < CPU_SETSIZE - 1 && !CPU_ISSET(cpu, &t->affinity); cpu++)
		;
	tracee_write(&t->tracee, arg(t, 0), &cpu, sizeof(cpu));
	rec_datum(s, t, TRACE_D_MEMORY, arg(t, 0), &cpu, sizeof(cpu));
}

static void tid_address_exit(struct rec_session *s, struct rec_task *t)
{
	t->clear_tid = arg(t, 0);
}

/* ---- registers ---- */

static void sigreturn_exit(struct rec_session *s, struct rec_task *t)
{
	rec_regs_datum(s, t, tracee_regs(&t->tracee));
	rec_xstate_datum(s, t);
	rec_sigmask_exit(s, t);
}

/* arch_prctl changes segment bases; what it wrote to memory is in the row. */
static void arch_prctl_exit(struct rec_session *s, struct rec_task *t)
{
	rec_regs_datum(s, t, tracee_regs(&t->tracee));
}

/* ---- limits ---- */

/* The stack grows up to its limit: replay sets the same one. */
static void limit_exit(struct rec_session *s, struct rec_task *t, uint64_t resource)
{
	struct rlimit limit;

	if (failed(t) || resource != RLIMIT_STACK ||
	    prlimit(t->tracee.tgid, RLIMIT_STACK, NULL, &limit) < 0)
		return;
	rec_datum(s, t, TRACE_D_STACK_LIMIT, 0, &limit.rlim_cur, sizeof(limit.rlim_cur));
}

static void setrlimit_exit(struct rec_session *s, struct rec_task *t)
{
	limit_exit(s, t, arg(t, 0));
}

static void prlimit_exit(struct rec_session *s, struct rec_task *t)
{
	limit_exit(s, t, arg(t, 1));
}

/* ---- memory of others ---- */

/* What it writes is seen at once by a process that runs: it must be known where that was then. */
static bool vm_writev_may_begin(struct rec_session *s, struct rec_task *t)
{
	struct rec_task *target = rec_find_named(s, t, (pid_t)arg(t, 0));

	if (!target)
		return true;
	rec_merge_groups(s, t->mm, target->mm);
	return rec_group(t)->running == 0;
}

/* What was written into another recorded process is recorded as that one's memory. The bytes are
 * read back from there. */
static void vm_writev_exit(struct rec_session *s, struct rec_task *t)
{
	struct rec_task *target = rec_find_named(s, t, (pid_t)arg(t, 0));
	struct {
		taddr base;
		uint64_t length;
	} vector;
	int64_t left = t->call.call.result;

	if (left <= 0 || !target)
		return;
	for (uint64_t i = 0; i < arg(t, 4) && i < 1024 && left > 0; i++) {
		if (tracee_read(&t->tracee, arg(t, 3) + i * sizeof(vector), &vector,
				sizeof(vector)) != sizeof(vector))
			return;
		uint64_t length = vector.length < (uint64_t)left ? vector.length : (uint64_t)left;
		struct bytes copy = {0};

		vec_reserve(&copy, length);
		copy.count = tracee_read(&target->tracee, vector.base, copy.items, length);
		trace_writer_datum_flags(s->writer, rec_group(t)->id, TRACE_D_MEMORY_OF,
					 (uint32_t)target->tracee.tid, vector.base, copy.items,
					 copy.count);
		vec_deinit(&copy);
		left -= (int64_t)length;
	}
}

static const struct rec_handler handlers[SC_HANDLERS] = {
	[SC_H_MMAP] = {.enter = mmap_enter, .exit = mmap_exit},
	[SC_H_BRK] = {.exit = brk_exit},
	[SC_H_MPROTECT] = {.exit = mprotect_exit},
	[SC_H_MADVISE] = {.enter = madvise_enter, .exit = madvise_exit},
	[SC_H_SHMAT] = {.enter = shmat_enter, .exit = shmat_exit},
	[SC_H_MREMAP] = {.enter = mremap_enter},
	[SC_H_PROCESS_MADVISE] = {.enter = process_madvise_enter},
	[SC_H_SHMDT] = {.enter = shmdt_enter, .exit = shmdt_exit},
	[SC_H_CLONE] = {.enter = clone_enter, .exit = clone_exit},
	[SC_H_CLONE3] = {.enter = clone3_enter},
	[SC_H_FORK] = {.enter = fork_enter},
	[SC_H_VFORK] = {.enter = vfork_enter},
	[SC_H_EXEC] = {.enter = rec_exec_enter},
	[SC_H_EXIT] = {.enter = exit_enter},
	[SC_H_EXIT_GROUP] = {.enter = exit_group_enter},
	[SC_H_UNSHARE] = {.exit = unshare_exit},
	[SC_H_CLOSE_RANGE] = {.exit = close_range_exit},
	[SC_H_GETCPU] = {.exit = getcpu_exit},
	[SC_H_SIGACTION] = {.exit = rec_sigaction_exit},
	[SC_H_SIGMASK] = {.exit = rec_sigmask_exit},
	[SC_H_TID_ADDRESS] = {.exit = tid_address_exit},
	[SC_H_SIGRETURN] = {.exit = sigreturn_exit},
	[SC_H_ARCH_PRCTL] = {.exit = arch_prctl_exit},
	[SC_H_SETRLIMIT] = {.exit = setrlimit_exit},
	[SC_H_PRLIMIT] = {.exit = prlimit_exit},
	[SC_H_AFFINITY_SET] = {.enter = rec_affinity_set},
	[SC_H_AFFINITY_GET] = {.enter = rec_affinity_get},
	[SC_H_TSC] = {.enter = rec_tsc},
	[SC_H_CPUID] = {.enter = rec_cpuid},
	[SC_H_SECCOMP] = {.enter = rec_seccomp},
	[SC_H_PRCTL_SECCOMP] = {.enter = rec_prctl_seccomp},
	[SC_H_USER_DISPATCH] = {.enter = rec_user_dispatch},
	[SC_H_DUMPABLE] = {.enter = rec_dumpable},
	[SC_H_NO_NEW_PRIVS] = {.enter = rec_no_new_privs},
	[SC_H_VM_WRITEV] = {.may_begin = vm_writev_may_begin, .exit = vm_writev_exit},
	[SC_H_FANOTIFY] = {.enter = rec_fanotify},
	[SC_H_PTRACE] = {.enter = rec_ptrace},
};

const struct rec_handler *rec_handler(enum sc_handler handler)
{
	return &handlers[handler];
}
