/* Mach on Linux: tasks, and what is common to their suspension and that of single threads.
 *
 * A process is traced only while something of it is suspended, or for the moment of a call that
 * needs it stopped: otherwise it, and whoever waits for it, finds no trace of this library.
 *
 * Invariant (mw_task_apply): a task has a target exactly while suspensions + held > 0. */
#include <dirent.h>
#include <errno.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/mman.h>
#include <sys/syscall.h>
#include <unistd.h>

#include "private.h"

/* ---- suspending ---- */

kern_return_t mw_task_apply(struct task *task)
{
	if (!task->suspensions && !task->held) {
		mw_target_close(task->target);
		task->target = NULL;
		return KERN_SUCCESS;
	}
	if (!task->target) {
		kern_return_t result = mw_target_open(task->pid, &task->target);

		if (result != KERN_SUCCESS)
			return result;
	}
	return mw_target_run_all(task->target, task->suspensions == 0);
}

kern_return_t mw_task_while_suspended(struct task *task,
				      kern_return_t (*call)(struct target *target, void *context),
				      void *context)
{
	task->suspensions++;
	kern_return_t result = mw_task_apply(task);

	if (result == KERN_SUCCESS)
		result = call(task->target, context);
	task->suspensions--;
	mw_task_apply(task);
	return result;
}

static kern_return_t suspend(struct task *task)
{
	if (mw_task_is_self(task))
		return mw_explain(KERN_FAILURE,
				  "a process cannot suspend itself here: nobody would "
				  "be left to resume it");
	task->suspensions++;
	kern_return_t result = mw_task_apply(task);

	if (result != KERN_SUCCESS)
		task->suspensions--;
	return result;
}

kern_return_t task_suspend(task_t target_task)
{
	struct task *task;

	mw_names_lock();
	kern_return_t result = mw_names_task(target_task, &task);

	if (result == KERN_SUCCESS)
		result = suspend(task);
	mw_names_unlock();
	return result;
}

kern_return_t task_resume(task_t target_task)
{
	struct task *task;

	mw_names_lock();
	kern_return_t result = mw_names_task(target_task, &task);

	if (result == KERN_SUCCESS && !task->suspensions)
		result = mw_explain(KERN_FAILURE, "task %#x is not suspended", target_task);
	if (result == KERN_SUCCESS) {
		task->suspensions--;
		result = mw_task_apply(task);
	}
	mw_names_unlock();
	return result;
}

/* First it is let go: who waits for the process gets its status then, and nobody else. */
static kern_return_t terminate(struct task *task)
{
	mw_target_close(task->target);
	task->target = NULL;
	task->suspensions = task->held = 0;
	if (syscall(SYS_pidfd_send_signal, task->pidfd, SIGKILL, NULL, 0) == 0)
		return KERN_SUCCESS;
	return mw_explain(KERN_FAILURE, "cannot end process %d: %s", task->pid, strerror(errno));
}

kern_return_t task_terminate(task_t target_task)
{
	struct task *task;

	mw_names_lock();
	kern_return_t result = mw_names_task(target_task, &task);

	if (result == KERN_SUCCESS && mw_task_is_self(task))
		_exit(128 + SIGKILL);
	if (result == KERN_SUCCESS)
		result = terminate(task);
	mw_names_unlock();
	return result;
}

/* ---- finding ---- */

kern_return_t task_for_pid(mach_port_name_t target_tport, int pid, mach_port_name_t *t)
{
	kern_return_t result = KERN_SUCCESS;

	mw_names_lock();
	*t = MACH_PORT_NULL;
	if (target_tport != mach_task_self_)
		result = mw_explain(KERN_FAILURE, "%#x is not the name of this task", target_tport);
	else if (pid <= 0)
		result = mw_explain(KERN_FAILURE, "%d is not the number of a process", pid);
	else if (pid == getpid())
		result = mw_names_add_refs(*t = mach_task_self_, 1);
	else
		result = mw_target_permitted(pid);
	if (result == KERN_SUCCESS && !*t)
		result = mw_names_add_task(pid, t);
	mw_names_unlock();
	return result;
}

kern_return_t pid_for_task(mach_port_name_t t, int *x)
{
	struct task *task;

	mw_names_lock();
	*x = -1;
	kern_return_t result = mw_names_task(t, &task);

	if (result == KERN_SUCCESS)
		*x = task->pid;
	else
		result = KERN_FAILURE;
	mw_names_unlock();
	return result;
}

/* ---- threads ---- */

static int by_number(const void *a, const void *b)
{
	const pid_t *one = a, *other = b;

	return (*one > *other) - (*one < *other);
}

/* In the order of their ids: the first is the main thread, while it lives. */
static pid_t *list_threads(pid_t pid, size_t *count)
{
	char path[48];
	struct dirent *entry;
	size_t room = 0;
	pid_t *tids = NULL;

	*count = 0;
	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *directory = opendir(path);

	while (directory && (entry = readdir(directory))) {
		if (*entry->d_name == '.')
			continue;
		if (*count == room) {
			room = room ? 2 * room : 16;
			tids = realloc(tids, room * sizeof(*tids));
			if (!tids)
				abort();
		}
		tids[(*count)++] = atoi(entry->d_name);
	}
	if (directory)
		closedir(directory);
	if (tids)
		qsort(tids, *count, sizeof(*tids), by_number);
	return tids;
}

/* Memory from mmap, which vm_deallocate takes. */
static kern_return_t name_threads(struct task *task, thread_act_array_t *list,
				  mach_msg_type_number_t *list_count)
{
	size_t count;
	pid_t *tids = list_threads(task->pid, &count);
	void *memory;

	if (!count) {
		free(tids);
		return mw_explain(KERN_FAILURE, "cannot list the threads of process %d", task->pid);
	}
	memory = mmap(NULL, count * sizeof(**list), PROT_READ | PROT_WRITE,
		      MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
	if (memory == MAP_FAILED) {
		free(tids);
		return mw_explain(KERN_RESOURCE_SHORTAGE, "no memory for the names of %zu threads",
				  count);
	}
	*list = memory;
	*list_count = (mach_msg_type_number_t)count;
	for (size_t i = 0; i < count; i++)
		(*list)[i] = mw_names_add_thread(task, tids[i]);
	free(tids);
	return KERN_SUCCESS;
}

kern_return_t task_threads(task_t target_task, thread_act_array_t *act_list,
			   mach_msg_type_number_t *act_listCnt)
{
	struct task *task;

	mw_names_lock();
	kern_return_t result = mw_names_task(target_task, &task);

	if (result == KERN_SUCCESS)
		result = name_threads(task, act_list, act_listCnt);
	mw_names_unlock();
	return result;
}
