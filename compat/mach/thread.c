/* Mach on Linux: threads and their registers.
 *
 * Invariant: a state is read, changed and written while its thread is stopped throughout. */
#include <errno.h>
#include <string.h>
#include <unistd.h>

#include "private.h"

/* ---- registers ---- */

struct access {
	struct thread *thread;
	thread_state_flavor_t flavor;
	natural_t *words;
	mach_msg_type_number_t *count;
	struct machine_state state;
};

static kern_return_t get_state(struct target *target, void *context)
{
	struct access *access = context;
	unsigned parts = mw_state_parts(access->flavor);
	kern_return_t result =
		mw_target_get_state(target, access->thread->tid, parts, &access->state);

	return result == KERN_SUCCESS ? mw_state_export(&access->state, access->flavor,
							access->words, access->count)
				      : result;
}

static kern_return_t set_state(struct target *target, void *context)
{
	struct access *access = context;
	unsigned parts = mw_state_parts(access->flavor);
	kern_return_t result =
		mw_target_get_state(target, access->thread->tid, parts, &access->state);

	if (result == KERN_SUCCESS)
		result = mw_state_import(&access->state, access->flavor, access->words,
					 *access->count);
	if (result == KERN_SUCCESS)
		result = mw_target_set_state(target, access->thread->tid, parts, &access->state);
	return result;
}

static kern_return_t access_state(thread_act_t name, struct access *access,
				  kern_return_t (*call)(struct target *target, void *context))
{
	kern_return_t result = mw_names_thread(name, &access->thread);

	if (result != KERN_SUCCESS)
		return result;
	if (!mw_state_parts(access->flavor))
		return mw_explain(KERN_INVALID_ARGUMENT, "there is no thread state flavor %d here",
				  access->flavor);
	if (mw_task_is_self(access->thread->task))
		return mw_explain(access->thread->tid == gettid() ? KERN_INVALID_ARGUMENT
								  : KERN_FAILURE,
				  "registers of this process's own threads cannot be reached: a "
				  "process cannot trace itself");
	return mw_task_while_suspended(access->thread->task, call, access);
}

kern_return_t thread_get_state(thread_act_t target_act, thread_state_flavor_t flavor,
			       thread_state_t old_state, mach_msg_type_number_t *old_stateCnt)
{
	struct access access = {.flavor = flavor, .words = old_state, .count = old_stateCnt};

	mw_names_lock();
	kern_return_t result = access_state(target_act, &access, get_state);

	mw_names_unlock();
	return result;
}

kern_return_t thread_set_state(thread_act_t target_act, thread_state_flavor_t flavor,
			       thread_state_t new_state, mach_msg_type_number_t new_stateCnt)
{
	struct access access = {.flavor = flavor, .words = new_state, .count = &new_stateCnt};

	mw_names_lock();
	kern_return_t result = access_state(target_act, &access, set_state);

	mw_names_unlock();
	return result;
}

/* ---- suspending ---- */

static kern_return_t suspend(struct thread *thread)
{
	struct task *task = thread->task;

	if (mw_task_is_self(task))
		return mw_explain(KERN_FAILURE,
				  "threads of this process cannot be suspended: a process cannot "
				  "trace itself");
	if (thread->suspensions++)
		return KERN_SUCCESS;
	task->held++;
	kern_return_t result = mw_task_apply(task);

	if (result == KERN_SUCCESS)
		result = mw_target_hold_thread(task->target, thread->tid);
	if (result == KERN_SUCCESS)
		return result;
	thread->suspensions--;
	task->held--;
	mw_task_apply(task);
	return result;
}

kern_return_t thread_suspend(thread_act_t target_act)
{
	struct thread *thread;

	mw_names_lock();
	kern_return_t result = mw_names_thread(target_act, &thread);

	if (result == KERN_SUCCESS)
		result = suspend(thread);
	mw_names_unlock();
	return result;
}

kern_return_t thread_resume(thread_act_t target_act)
{
	struct thread *thread;

	mw_names_lock();
	kern_return_t result = mw_names_thread(target_act, &thread);

	if (result == KERN_SUCCESS && !thread->suspensions)
		result = mw_explain(KERN_FAILURE, "thread %d is not suspended", thread->tid);
	if (result == KERN_SUCCESS && --thread->suspensions == 0)
		result = mw_thread_release(thread);
	mw_names_unlock();
	return result;
}

kern_return_t mw_thread_release(struct thread *thread)
{
	struct task *task = thread->task;

	task->held--;
	mw_target_release_thread(task->target, thread->tid);
	return mw_task_apply(task);
}

/* ---- aborting ---- */

/* include/linux/errno.h: results of calls that Linux makes again; programs never see them. */
static bool will_be_made_again(const struct user_regs_struct *regs)
{
	long result = (long)regs->rax;

	return (long)regs->orig_rax >= 0 && result <= -512 && result >= -516;
}

static kern_return_t abort_call(struct target *target, void *context)
{
	struct access *access = context;
	struct user_regs_struct *regs = &access->state.general;
	kern_return_t result =
		mw_target_get_state(target, access->thread->tid, PART_GENERAL, &access->state);

	if (result != KERN_SUCCESS || !will_be_made_again(regs))
		return result;
	regs->rax = (unsigned long long)-EINTR;
	regs->orig_rax = ~0ull;
	return mw_target_set_state(target, access->thread->tid, PART_GENERAL, &access->state);
}

kern_return_t thread_abort(thread_act_t target_act)
{
	struct access access = {.flavor = x86_THREAD_STATE64};

	mw_names_lock();
	kern_return_t result = access_state(target_act, &access, abort_call);

	mw_names_unlock();
	return result;
}

kern_return_t thread_abort_safely(thread_act_t target_act)
{
	return thread_abort(target_act);
}
