/* Mach on Linux: the names of tasks and threads in this process.
 *
 * A name is what a program holds instead of a port: (index + 1) << 8 | 3, never used twice. All of
 * this library's state is here (Mach's interface has no place for it elsewhere), and a call has it
 * for itself.
 *
 * Invariants: a process has at most one task object, and a thread at most one thread object; a
 * thread keeps its task. Objects live while they have a reference, and a task while anything of it
 * is suspended. After a fork the child begins anew: it controls nobody. */
#include <poll.h>
#include <pthread.h>
#include <signal.h>
#include <stdlib.h>
#include <string.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "private.h"

struct entry {
	struct task *task; /* of a task's name */
	struct thread *thread;
};

static struct {
	pthread_mutex_t lock;
	bool ready;
	struct entry *entries;
	size_t count, room;
	struct task **tasks; /* all, also those without a name */
	size_t task_count, task_room;
} names = {.lock = PTHREAD_MUTEX_INITIALIZER};

#define FIRST_NAME 0x103

mach_port_t mach_task_self_ = FIRST_NAME;
vm_size_t vm_page_size = 4096;
vm_size_t vm_page_mask = 4095;
int vm_page_shift = 12;

static void *grow(void *items, size_t count, size_t *room, size_t size)
{
	if (count < *room)
		return items;
	*room = *room ? *room * 2 : 16;
	items = realloc(items, *room * size);
	if (!items)
		abort();
	return items;
}

static mach_port_name_t add_entry(struct entry entry)
{
	names.entries = grow(names.entries, names.count, &names.room, sizeof(*names.entries));
	names.entries[names.count++] = entry;
	return (mach_port_name_t)(names.count << 8 | 3);
}

static struct entry *find_entry(mach_port_name_t name)
{
	size_t index = name >> 8;

	return (name & 0xff) == 3 && index >= 1 && index <= names.count ? &names.entries[index - 1]
									: NULL;
}

static struct task *make_task(pid_t pid, int pidfd)
{
	struct task *task = calloc(1, sizeof(*task));

	if (!task)
		abort();
	task->pid = pid;
	task->pidfd = pidfd;
	names.tasks = grow(names.tasks, names.task_count, &names.task_room, sizeof(*names.tasks));
	names.tasks[names.task_count++] = task;
	return task;
}

/* ---- beginnings ---- */

/* In a forked child: the tracer's thread is not there, and what is suspended is so by the
 * parent. */
static void forget_all(void)
{
	memset(&names, 0, sizeof(names));
	pthread_mutex_init(&names.lock, NULL);
}

static void register_fork(void)
{
	pthread_atfork(NULL, NULL, forget_all);
}

void mw_names_lock(void)
{
	static pthread_once_t once = PTHREAD_ONCE_INIT;

	pthread_once(&once, register_fork);
	pthread_mutex_lock(&names.lock);
	mw_explain_nothing();
	if (names.ready)
		return;
	names.ready = true;
	struct task *self = make_task(getpid(), -1);

	self->refs = 1;
	self->name = add_entry((struct entry){.task = self});
}

void mw_names_unlock(void)
{
	pthread_mutex_unlock(&names.lock);
}

/* ---- looking up ---- */

bool mw_task_is_self(const struct task *task)
{
	return task->pidfd < 0;
}

static bool has_ended(const struct task *task)
{
	struct pollfd end = {.fd = task->pidfd, .events = POLLIN};

	return !mw_task_is_self(task) && poll(&end, 1, 0) == 1;
}

kern_return_t mw_names_task(mach_port_name_t name, struct task **task)
{
	struct entry *entry = find_entry(name);

	if (!entry || (!entry->task && !entry->thread))
		return mw_explain(MACH_SEND_INVALID_DEST, "%#x is not the name of a task", name);
	if (!entry->task)
		return mw_explain(KERN_INVALID_ARGUMENT,
				  "%#x is the name of a thread, not of a task", name);
	if (has_ended(entry->task))
		return mw_explain(MACH_SEND_INVALID_DEST, "process %d, task %#x, has ended",
				  entry->task->pid, name);
	*task = entry->task;
	return KERN_SUCCESS;
}

kern_return_t mw_names_thread(mach_port_name_t name, struct thread **thread)
{
	struct entry *entry = find_entry(name);

	if (!entry || (!entry->task && !entry->thread))
		return mw_explain(MACH_SEND_INVALID_DEST, "%#x is not the name of a thread", name);
	if (!entry->thread)
		return mw_explain(KERN_INVALID_ARGUMENT,
				  "%#x is the name of a task, not of a thread", name);
	*thread = entry->thread;
	if (has_ended((*thread)->task) ||
	    syscall(SYS_tgkill, (*thread)->task->pid, (*thread)->tid, 0) != 0)
		return mw_explain(MACH_SEND_INVALID_DEST, "thread %d of process %d has ended",
				  (*thread)->tid, (*thread)->task->pid);
	return KERN_SUCCESS;
}

static struct task *find_process(pid_t pid)
{
	for (size_t i = 0; i < names.task_count; i++)
		if (names.tasks[i]->pid == pid && !has_ended(names.tasks[i]))
			return names.tasks[i];
	return NULL;
}

/* ---- references ---- */

kern_return_t mw_names_add_task(pid_t pid, mach_port_name_t *name)
{
	struct task *task = find_process(pid);

	if (!task) {
		int pidfd = (int)syscall(SYS_pidfd_open, pid, 0);

		if (pidfd < 0)
			return mw_explain(KERN_FAILURE, "there is no process %d", pid);
		task = make_task(pid, pidfd);
	}
	if (!task->name)
		task->name = add_entry((struct entry){.task = task});
	task->refs++;
	*name = task->name;
	return KERN_SUCCESS;
}

mach_port_name_t mw_names_add_thread(struct task *task, pid_t tid)
{
	struct thread *thread = NULL;

	for (size_t i = 0; i < names.count && !thread; i++)
		if (names.entries[i].thread && names.entries[i].thread->task == task &&
		    names.entries[i].thread->tid == tid)
			thread = names.entries[i].thread;
	if (!thread) {
		thread = calloc(1, sizeof(*thread));
		if (!thread)
			abort();
		thread->tid = tid;
		thread->task = task;
		task->threads++;
		thread->name = add_entry((struct entry){.thread = thread});
	}
	thread->refs++;
	return thread->name;
}

static void free_task(struct task *task)
{
	size_t i = 0;

	if (task->refs || task->threads || task->suspensions || task->held || mw_task_is_self(task))
		return;
	while (names.tasks[i] != task)
		i++;
	names.tasks[i] = names.tasks[--names.task_count];
	close(task->pidfd);
	free(task);
}

/* Without a name nobody could resume it. */
static void free_thread(struct thread *thread)
{
	struct task *task = thread->task;

	if (thread->suspensions)
		mw_thread_release(thread);
	task->threads--;
	free(thread);
	free_task(task);
}

static unsigned *refs_of(mach_port_name_t name)
{
	struct entry *entry = find_entry(name);

	return !entry	       ? NULL
	       : entry->task   ? &entry->task->refs
	       : entry->thread ? &entry->thread->refs
			       : NULL;
}

kern_return_t mw_names_release(mach_port_name_t name, unsigned count)
{
	struct entry *entry = find_entry(name);
	unsigned *refs = refs_of(name);

	if (!refs)
		return mw_explain(KERN_INVALID_NAME, "%#x is no name", name);
	if (*refs < count)
		return mw_explain(KERN_INVALID_VALUE, "%#x has only %u references", name, *refs);
	*refs -= count;
	if (*refs || (entry->task && mw_task_is_self(entry->task)))
		return KERN_SUCCESS;
	struct entry gone = *entry;

	*entry = (struct entry){0};
	if (gone.thread) {
		free_thread(gone.thread);
	} else {
		gone.task->name = 0;
		free_task(gone.task);
	}
	return KERN_SUCCESS;
}

kern_return_t mw_names_add_refs(mach_port_name_t name, unsigned count)
{
	unsigned *refs = refs_of(name);

	if (!refs)
		return mw_explain(KERN_INVALID_NAME, "%#x is no name", name);
	*refs += count;
	return KERN_SUCCESS;
}

/* ---- exported ---- */

kern_return_t mach_port_deallocate(ipc_space_t task, mach_port_name_t name)
{
	return mach_port_mod_refs(task, name, MACH_PORT_RIGHT_SEND, -1);
}

kern_return_t mach_port_mod_refs(ipc_space_t task, mach_port_name_t name, mach_port_right_t right,
				 mach_port_delta_t delta)
{
	kern_return_t result;

	mw_names_lock();
	if (task != mach_task_self_)
		result = mw_explain(KERN_INVALID_TASK,
				    "names of other tasks (%#x) cannot be changed here", task);
	else if (right != MACH_PORT_RIGHT_SEND)
		result = mw_explain(KERN_INVALID_RIGHT, "%#x has no right of kind %u", name, right);
	else if (delta < 0)
		result = mw_names_release(name, -(unsigned)delta);
	else
		result = mw_names_add_refs(name, (unsigned)delta);
	mw_names_unlock();
	return result;
}

mach_port_t mach_thread_self(void)
{
	struct task *self = NULL;
	mach_port_t name = MACH_PORT_NULL;

	mw_names_lock();
	if (mw_names_task(mach_task_self_, &self) == KERN_SUCCESS)
		name = mw_names_add_thread(self, gettid());
	mw_names_unlock();
	return name;
}
