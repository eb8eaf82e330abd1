/* Mach on Linux: what the parts of the library share. Functions begin with mw_, since a static
 * library shares the name space of the program. */
#ifndef COMPAT_MACH_PRIVATE_H
#define COMPAT_MACH_PRIVATE_H

#include <mach/mach.h>
#include <mach/mach_vm.h>
#include <stdbool.h>
#include <stddef.h>
#include <sys/types.h>
#include <sys/user.h>

/* ---- explanations ---- */

/* Notes why the call at hand fails, and returns `result`. */
kern_return_t mw_explain(kern_return_t result, const char *format, ...)
	__attribute__((format(printf, 2, 3)));
/* A call begins: there is nothing to explain yet. */
void mw_explain_nothing(void);

/* ---- processes under control: held only while something of theirs is suspended ---- */

struct target;

/* Registers as Linux hands them out: the general ones, the XSAVE area, debug registers. */
struct machine_state {
	struct user_regs_struct general;
	_Alignas(64) unsigned char vector[16384];
	size_t vector_size;
	unsigned long long debug[8];
};

enum machine_part {
	PART_GENERAL = 1 << 0,
	PART_VECTOR = 1 << 1,
	PART_DEBUG = 1 << 2,
};

/* All explain what goes wrong. An opened target is suspended. */
kern_return_t mw_target_open(pid_t pid, struct target **target);
void mw_target_close(struct target *target);
/* May this process be controlled? Looks, and lets go at once. */
kern_return_t mw_target_permitted(pid_t pid);
kern_return_t mw_target_get_state(struct target *target, pid_t tid, unsigned parts,
				  struct machine_state *state);
kern_return_t mw_target_set_state(struct target *target, pid_t tid, unsigned parts,
				  const struct machine_state *state);
/* Lets the process run, but for threads that are held; or suspends it. */
kern_return_t mw_target_run_all(struct target *target, bool run);
/* A thread that is held stays stopped when the others run. */
kern_return_t mw_target_hold_thread(struct target *target, pid_t tid);
void mw_target_release_thread(struct target *target, pid_t tid);
/* A system call made by the suspended process. *result is the kernel's: -errno on failure. */
kern_return_t mw_target_call(struct target *target, long nr, const unsigned long args[6],
			     long *result);

/* ---- names ---- */

struct task {
	mach_port_name_t name;
	unsigned refs; /* of the name */
	pid_t pid;
	int pidfd;	       /* becomes readable when it has ended; -1 for ourselves */
	unsigned suspensions;  /* of the task */
	unsigned held;	       /* of single threads, their sum */
	unsigned threads;      /* objects that keep it */
	struct target *target; /* while any of the two is not 0 */
};

struct thread {
	mach_port_name_t name;
	unsigned refs;
	pid_t tid;
	struct task *task; /* keeps a reference */
	unsigned suspensions;
};

/* One call at a time: every exported function begins and ends with these. */
void mw_names_lock(void);
void mw_names_unlock(void);

/* The task or thread that a name means. KERN_INVALID_ARGUMENT if it means something else,
 * MACH_SEND_INVALID_DEST if nothing, or what it meant has ended. */
kern_return_t mw_names_task(mach_port_name_t name, struct task **task);
kern_return_t mw_names_thread(mach_port_name_t name, struct thread **thread);
/* A reference to the name of a process or thread, made if there is none. */
kern_return_t mw_names_add_task(pid_t pid, mach_port_name_t *name);
mach_port_name_t mw_names_add_thread(struct task *task, pid_t tid);
/* Gives up `count` references. */
kern_return_t mw_names_release(mach_port_name_t name, unsigned count);
kern_return_t mw_names_add_refs(mach_port_name_t name, unsigned count);
bool mw_task_is_self(const struct task *task);

/* Suspends the task if it is not, calls, and undoes that. */
kern_return_t mw_task_while_suspended(struct task *task,
				      kern_return_t (*call)(struct target *target, void *context),
				      void *context);
/* After a change of suspensions or held: opens or closes the target, and lets threads run. */
kern_return_t mw_task_apply(struct task *task);
/* A thread's last suspension is over. */
kern_return_t mw_thread_release(struct thread *thread);

/* ---- thread states ---- */

/* Which parts a flavor is made of; 0 if there is no such flavor. */
unsigned mw_state_parts(thread_state_flavor_t flavor);
kern_return_t mw_state_export(const struct machine_state *state, thread_state_flavor_t flavor,
			      natural_t *out, mach_msg_type_number_t *count);
kern_return_t mw_state_import(struct machine_state *state, thread_state_flavor_t flavor,
			      const natural_t *in, mach_msg_type_number_t count);

#endif
