/* warp regs: a sample of all threads of a process.
 *
 * Invariants: between engine_attach and engine_detach nothing is done that takes long: registers,
 * stacks and the texts of calls are copied, everything else is made of the copies. Whatever fails
 * in between, the process is let go. */
#include "live/regs.h"

#include <dirent.h>
#include <errno.h>
#include <inttypes.h>
#include <pthread.h>
#include <sched.h>
#include <signal.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <sys/ptrace.h>
#include <time.h>
#include <unistd.h>

#include "live/engine.h"
#include "live/regs_set.h"
#include "syscalls/format.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"

/* Threads are given so long to stop; again, but where all that are left are in an uninterruptible
 * sleep. */
#define STOP_SLICE_MS 50
#define STOP_SLICES   100
/* Of a stack so much is copied. */
#define STACK_MAX (256 * 1024)

/* ---- before: states, which a suspension changes ---- */

struct thread_state {
	pid_t tid;
	char letter;
};

struct thread_states vec(struct thread_state);

static void list_states(pid_t pid, struct thread_states *states)
{
	char path[48];
	struct dirent *entry;

	snprintf(path, sizeof(path), "/proc/%d/task", pid);
	DIR *directory = opendir(path);

	if (!directory)
		return;
	while ((entry = readdir(directory))) {
		pid_t tid = (pid_t)strtol(entry->d_name, NULL, 10);

		if (tid > 0)
			vec_push(states, (struct thread_state){tid, proc_state(tid)});
	}
	closedir(directory);
}

static void read_name(pid_t tid, char *name, size_t room)
{
	struct bytes text = {0};

	*name = 0;
	if (proc_read(tid, "comm", &text)) {
		vec_push(&text, 0);
		snprintf(name, room, "%.*s", (int)strcspn((const char *)text.items, "\n"),
			 (const char *)text.items);
	}
	vec_deinit(&text);
}

/* ---- the call a thread is in ---- */

/* The kernel's own results of an interrupted call (include/linux/errno.h), and the one that it has
 * for calls that cannot go on by themselves. */
static bool is_interrupted(int64_t result)
{
	return (result <= -512 && result >= -516) || result == -EINTR;
}

static void format_narrow(struct bytes *out, const struct regs_thread *thread)
{
	const char *name = arch.narrow_call_name(thread->call_nr);
	const struct sc_row *row = name ? sc_row_by_name(name) : NULL;
	int count = row ? row->nargs : SC_ARGS;
	char text[64];
	int length;

	length = name ? snprintf(text, sizeof(text), "%s(", name)
		      : snprintf(text, sizeof(text), "syscall_%#x(", (unsigned)thread->call_nr);
	vec_append(out, text, (size_t)length);
	for (int i = 0; i < count; i++) {
		length = snprintf(text, sizeof(text), "%s%#" PRIx64, i ? ", " : "",
				  thread->call_args[i]);
		vec_append(out, text, (size_t)length);
	}
	vec_append(out, ")", 1);
}

/* All arguments, those that only the call's end decides as addresses: as trace shows a call that
 * has failed, without the result. */
static void format_call(struct bytes *out, const struct regs_thread *thread,
			const struct sc_memory *memory)
{
	static const char result[] = " = -1 EINTR";
	struct sc_call call = {.nr = thread->call_nr, .result = -EINTR};
	const struct sc_row *row = sc_row(call.nr);
	struct sc_half half = {0};

	memcpy(call.args, thread->call_args, sizeof(call.args));
	if (row)
		row = sc_row_refine(row, &call);
	sc_format_entry(out, row, &call, memory, &sc_style_default, &half);
	call.ended = true;
	sc_format_exit(out, 0, row, &call, memory, &sc_style_default, &half);
	vec_push(out, 0);
	for (char *at = (char *)out->items; (at = strstr(at, result)); at++)
		out->count = (size_t)(at - (char *)out->items);
	while (out->count && out->items[out->count - 1] == ' ')
		out->count--;
}

static void note_call(struct regs_thread *thread, const struct sc_memory *memory)
{
	struct bytes text = {0};

	if (thread->call_narrow)
		format_narrow(&text, thread);
	else
		format_call(&text, thread, memory);
	vec_push(&text, 0);
	thread->call = (char *)text.items;
}

static bool through_narrow_gate(pid_t tid)
{
	struct __ptrace_syscall_info info = {0};

	return ptrace(PTRACE_GET_SYSCALL_INFO, tid, (void *)sizeof(info), &info) > 0 &&
	       info.arch != arch.audit_arch;
}

/* An earlier look (or a stop) has interrupted the call, which goes on as restart_syscall. The
 * kernel keeps to itself which it was; the arguments are in their registers still, and the number
 * mostly is in the code. */
static int restarted_call(const struct regs *regs, struct live_task *task, int nr)
{
	uint8_t bytes[ARCH_CALL_SET_SIZE];
	taddr at = arch.pc(regs) - sizeof(bytes);

	if (!sc_row_restarts(sc_row(nr)) ||
	    live_read(task, at, bytes, sizeof(bytes)) != sizeof(bytes))
		return nr;
	int set = arch.call_set(bytes);
	const struct sc_row *row = sc_row(set);

	return row && (row->flags & SC_CONTINUED) ? set : nr;
}

static void take_call(struct regs_thread *thread, struct live_task *task)
{
	const struct regs *regs = &thread->registers.regs;
	struct sc_memory memory = live_memory(task);

	if (!arch.in_call(regs) || !is_interrupted(arch.call_result(regs)))
		return;
	thread->call_nr = arch.call_nr(regs);
	thread->call_narrow = through_narrow_gate(thread->tid);
	for (int i = 0; i < SC_ARGS; i++)
		thread->call_args[i] = thread->call_narrow ? arch.narrow_call_arg(regs, i)
							   : arch.call_arg(regs, i);
	if (!thread->call_narrow)
		thread->call_nr = restarted_call(regs, task, thread->call_nr);
	note_call(thread, &memory);
}

/* ---- a thread ---- */

/* Of a thread that cannot be stopped, /proc/TID/syscall tells the call and the program counter. */
static void read_blocked(struct regs_thread *thread, struct live_task *task)
{
	struct sc_memory memory = live_memory(task);
	struct bytes text = {0};
	uint64_t *args = thread->call_args;
	uint64_t sp;

	if (proc_read(thread->tid, "syscall", &text)) {
		vec_push(&text, 0);
		if (sscanf((const char *)text.items,
			   "%d 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64
			   " 0x%" SCNx64 " 0x%" SCNx64 " 0x%" SCNx64,
			   &thread->call_nr, &args[0], &args[1], &args[2], &args[3], &args[4],
			   &args[5], &sp, &thread->pc) == 9 &&
		    thread->call_nr >= 0)
			note_call(thread, &memory);
	}
	vec_deinit(&text);
}

/* From the stack pointer to the end of the mapping it is in. */
static void copy_stack(struct regs_thread *thread, struct live_task *task,
		       const struct proc_maps *maps)
{
	taddr sp = arch.sp(&thread->registers.regs);

	vec_foreach (maps, map) {
		if (sp < map->start || sp >= map->end)
			continue;
		size_t length = map->end - sp < STACK_MAX ? map->end - sp : STACK_MAX;

		vec_reserve(&thread->stack, length);
		thread->stack.count = live_read(task, sp, thread->stack.items, length);
		thread->stack_at = sp;
	}
}

static uint64_t now_ns(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (uint64_t)now.tv_sec * 1000000000 + (uint64_t)now.tv_nsec;
}

/* What is shown stays what it was; the copy is changed. */
static void note_wait(const struct regs_thread *thread, struct live_task *task,
		      struct regs_history *history)
{
	struct arch_state state = {.regs = thread->registers.regs,
				   .narrow = thread->registers.narrow};

	regs_history_note(history, task, &state, now_ns());
}

static void take_thread(struct regs_sample *sample, struct live_task *task,
			const struct regs_options *options, const struct proc_maps *maps)
{
	struct regs_thread thread = {.tid = task->tracee.tid};

	read_name(thread.tid, thread.name, sizeof(thread.name));
	thread.registers.layout = &sample->layout;
	thread.signal = task->stop == LIVE_STOP_SIGNAL ? task->signal : 0;
	thread.readable = task->stop != LIVE_RUNNING &&
			  arch.state_read(thread.tid, options->flavors, &thread.registers);
	if (thread.readable) {
		thread.pc = arch.pc(&thread.registers.regs);
		take_call(&thread, task);
		if (options->history)
			note_wait(&thread, task, options->history);
		if (options->stacks)
			copy_stack(&thread, task, maps);
	} else {
		read_blocked(&thread, task);
	}
	vec_push(&sample->threads, thread);
}

/* ---- the sample ---- */

static int by_tid(const void *a, const void *b)
{
	const struct regs_thread *one = a, *other = b;

	return (one->tid > other->tid) - (one->tid < other->tid);
}

/* Notes the states, and the threads that have ended but are not gone: a leader whose threads
 * live. */
static void add_states(struct regs_sample *sample, const struct thread_states *states)
{
	vec_foreach (states, state) {
		struct regs_thread *found = NULL;

		vec_foreach (&sample->threads, thread)
			if (thread->tid == state->tid)
				found = thread;
		if (found) {
			found->state = state->letter;
		} else if (state->letter == 'Z') {
			struct regs_thread ended = {.tid = state->tid, .state = 'Z'};

			read_name(ended.tid, ended.name, sizeof(ended.name));
			vec_push(&sample->threads, ended);
		}
	}
	if (sample->threads.count)
		qsort(sample->threads.items, sample->threads.count, sizeof(*sample->threads.items),
		      by_tid);
}

static void take_threads(struct regs_sample *sample, struct live_process *process,
			 const struct regs_options *options)
{
	struct proc_maps maps _cleanup_(proc_maps_deinit) = {0};
	struct live_task *task = NULL;

	if (options->stacks)
		proc_read_maps(process->pid, &maps);
	while ((task = live_next_task(process, task)))
		take_thread(sample, task, options, &maps);
}

static struct error *change_registers(struct engine *engine, pid_t tid,
				      const struct regs_options *options,
				      const struct regs_sample *sample)
{
	struct live_task *task = engine_find_task(engine, tid);

	if (!options->set_count)
		return NULL;
	if (!task || task->stop == LIVE_RUNNING)
		return error_new("cannot set registers of thread %d: it could not be stopped (it "
				 "has ended, or is in an uninterruptible sleep); try again",
				 tid);
	return regs_set(task, &sample->layout, options->sets, options->set_count);
}

/* Of the threads that have not been stopped, can none be (those that wait for their vfork child
 * too)? */
static bool all_unstoppable(struct live_process *process)
{
	struct live_task *task = NULL;

	while ((task = live_next_task(process, task)))
		if (task->stop == LIVE_RUNNING && proc_state(task->tracee.tid) != 'D')
			return false;
	return true;
}

static void suspend(struct live_process *process)
{
	size_t running = 1;

	for (int i = 0; i < STOP_SLICES && running; i++) {
		engine_suspend(process, STOP_SLICE_MS, &running);
		if (all_unstoppable(process))
			return;
	}
}

/* Suspends, copies, lets go. */
static struct error *sample_process(struct engine *engine, pid_t tid,
				    const struct regs_options *options, struct regs_sample *sample)
{
	struct live_process *process;
	uint64_t start = now_ns();

	try(engine_attach(engine, tid, &(struct live_attach){0}, &process));
	suspend(process);
	struct error *error = change_registers(engine, tid, options, sample);

	sample->pid = process->pid;
	if (!error)
		take_threads(sample, process, options);
	struct error *letting_go = engine_detach(process);

	sample->paused_ns = engine_let_go_ns(engine) - start;
	if (error)
		error_free(letting_go);
	return error ? error : letting_go;
}

/* Signals that would end or stop us while somebody else stands still because of us. */
static void hold_off_signals(sigset_t *before)
{
	static const int signals[] = {SIGINT, SIGTERM, SIGHUP, SIGQUIT, SIGTSTP};
	sigset_t set;

	sigemptyset(&set);
	for (size_t i = 0; i < sizeof(signals) / sizeof(*signals); i++)
		sigaddset(&set, signals[i]);
	sigprocmask(SIG_BLOCK, &set, before);
}

struct taking {
	pid_t tid;
	const struct regs_options *options;
	struct regs_sample *sample;
	pid_t tracer;
	struct error *error;
};

static void *run_engine(void *context)
{
	static const struct live_hooks no_hooks;
	struct taking *taking = context;
	struct engine *engine = engine_create(&no_hooks, NULL);

	taking->tracer = gettid();
	taking->error = sample_process(engine, taking->tid, taking->options, taking->sample);
	engine_destroy(engine);
	return NULL;
}

/* In a thread of its own: when the tracer ends, the kernel lets go of threads that could not be
 * stopped, which nobody else can do (exit_ptrace() in kernel/ptrace.c). */
static struct error *take_in_thread(struct taking *taking)
{
	pthread_t thread;
	int errnum = pthread_create(&thread, NULL, run_engine, taking);

	if (errnum)
		return error_os(errnum, "cannot make a thread that looks at process %d",
				taking->tid);
	pthread_join(thread, NULL);
	/* pthread_join returns a little before the thread's end. */
	while (tgkill(getpid(), taking->tracer, 0) == 0)
		sched_yield();
	return taking->error;
}

struct error *regs_sample_take(pid_t tid, const struct regs_options *options,
			       struct regs_sample *sample)
{
	struct taking taking = {.tid = tid, .options = options, .sample = sample};
	pid_t pid = proc_status_number(tid, "Tgid");
	struct thread_states states = {0};
	sigset_t before;

	*sample = (struct regs_sample){0};
	arch.layout(&sample->layout);
	read_name(pid, sample->name, sizeof(sample->name));
	hold_off_signals(&before);
	list_states(pid, &states);
	struct error *error = take_in_thread(&taking);

	sigprocmask(SIG_SETMASK, &before, NULL);
	add_states(sample, &states);
	vec_deinit(&states);
	if (error)
		regs_sample_deinit(sample);
	return error;
}

void regs_sample_deinit(struct regs_sample *sample)
{
	vec_foreach (&sample->threads, thread) {
		free(thread->call);
		vec_deinit(&thread->registers.vector);
		vec_deinit(&thread->stack);
	}
	vec_deinit(&sample->threads);
}

/* ---- stacks, from the copies ---- */

struct copied {
	const struct regs_thread *thread;
	struct tracee process; /* only its memory is used */
};

static size_t read_copy(void *context, taddr addr, void *to, size_t length)
{
	struct copied *copied = context;
	const struct regs_thread *thread = copied->thread;

	if (addr < thread->stack_at || addr - thread->stack_at > thread->stack.count ||
	    thread->stack.count - (addr - thread->stack_at) < length)
		return tracee_read(&copied->process, addr, to, length);
	memcpy(to, thread->stack.items + (addr - thread->stack_at), length);
	return length;
}

size_t regs_thread_unwind(const struct regs_thread *thread, struct live_symbols *symbols,
			  struct live_frame *frames, size_t room)
{
	uint64_t regs[ARCH_UNWIND_REGS];
	struct copied copied = {.thread = thread};
	struct live_unwind unwind = {
		.tid = thread->tid,
		.regs = regs,
		.word = thread->registers.narrow ? 4 : 8,
		.memory = {.read = read_copy, .context = &copied},
	};

	if (!thread->readable)
		return 0;
	unwind.reg_count = arch.unwind_regs(&thread->registers, regs);
	tracee_init(&copied.process, thread->tid, thread->tid);
	size_t count = live_symbols_unwind(symbols, &unwind, frames, room);

	tracee_deinit(&copied.process);
	return count;
}
