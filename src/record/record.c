/* Recording a program, from start to end: the process state of the recorder itself (core, signals),
 * the description of the recording, the first process. */
#include "record/record.h"

#include <errno.h>
#include <fcntl.h>
#include <string.h>
#include <sys/prctl.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/wait.h>
#include <unistd.h>

#include "record/session.h"
#include "trace/place.h"
#include "tracee/procfs.h"
#include "util/cleanup.h"
#include "util/log.h"

#define PTRACE_OPTIONS                                                                          \
	(PTRACE_O_EXITKILL | PTRACE_O_TRACESYSGOOD | PTRACE_O_TRACECLONE | PTRACE_O_TRACEFORK | \
	 PTRACE_O_TRACEVFORK | PTRACE_O_TRACEEXEC | PTRACE_O_TRACEEXIT | PTRACE_O_TRACESECCOMP)

/* ---- the recorder's own signals ---- */

/* The program, for the handler below. */
static volatile pid_t forward_to;

/* SIGTERM and SIGHUP meant for us are meant for the program. From a terminal it gets its own. */
static void forward(int signal, siginfo_t *info, void *context)
{
	if (forward_to && info->si_code <= 0 && signal != SIGALRM)
		kill(forward_to, signal);
}

struct own_signals {
	struct sigaction before[4], alarm, file_size;
	sigset_t mask, ignored;
};

static const int handled[4] = {SIGINT, SIGQUIT, SIGTERM, SIGHUP};

static void take_signals(struct own_signals *own)
{
	struct sigaction action = {.sa_sigaction = forward, .sa_flags = SA_SIGINFO | SA_RESTART};

	sigprocmask(SIG_SETMASK, NULL, &own->mask);
	sigemptyset(&own->ignored);
	for (int signal = 1; signal < NSIG; signal++) {
		struct sigaction now;

		if (sigaction(signal, NULL, &now) == 0 && now.sa_handler == SIG_IGN)
			sigaddset(&own->ignored, signal);
	}
	for (int i = 0; i < 4; i++)
		sigaction(handled[i], &action, &own->before[i]);
	/* The loop's timer interrupts wait. */
	action = (struct sigaction){.sa_sigaction = forward, .sa_flags = SA_SIGINFO};
	sigaction(SIGALRM, &action, &own->alarm);
	/* A limit on file sizes is to be an error of write(2). */
	action = (struct sigaction){.sa_handler = SIG_IGN};
	sigaction(SIGXFSZ, &action, &own->file_size);
}

static void return_signals(const struct own_signals *own)
{
	static const struct itimerval off;

	forward_to = 0;
	for (int i = 0; i < 4; i++)
		sigaction(handled[i], &own->before[i], NULL);
	setitimer(ITIMER_REAL, &off, NULL);
	sigaction(SIGALRM, &own->alarm, NULL);
	sigaction(SIGXFSZ, &own->file_size, NULL);
}

/* ---- one core ---- */

/* Recorder and program share one core, the one that the kernel has us on: stops are ten times
 * dearer across cores. */
static int choose_core(const cpu_set_t *allowed, cpu_set_t *one)
{
	int core = sched_getcpu();

	for (int cpu = 0; cpu < CPU_SETSIZE && (core < 0 || !CPU_ISSET(core, allowed)); cpu++)
		core = cpu;
	CPU_ZERO(one);
	CPU_SET(core, one);
	return core;
}

/* ---- the recording ---- */

/* Path of the program; NULL where it cannot be told. The caller's. */
static char *read_link(pid_t tid)
{
	char link[32], path[TRACE_FILE_PATH];

	snprintf(link, sizeof(link), "/proc/%d/exe", tid);
	ssize_t length = readlink(link, path, sizeof(path) - 1);

	if (length < 0)
		return NULL;
	path[length] = 0;
	return xstrdup(path);
}

static void describe(struct trace_meta *meta, const struct record_options *options, int core,
		     pid_t tid, const struct spawn_result *spawned)
{
	uint32_t leaves[32][6];
	size_t count = arch.identify_cpu(leaves, 32);

	trace_meta_init_host(meta);
	trace_texts_append(&meta->command, options->argv);
	trace_texts_append(&meta->environment, environ);
	for (size_t i = 0; i < count; i++) {
		struct trace_meta_cpuid cpuid = {leaves[i][0], leaves[i][1], leaves[i][2],
						 leaves[i][3], leaves[i][4], leaves[i][5]};

		vec_push(&meta->cpuids, cpuid);
	}
	meta->executable = read_link(tid);
	meta->numbers.cpu = (uint32_t)core;
	meta->numbers.seed = options->timing.seed;
	if (options->timing.chaos)
		meta->numbers.flags |= TRACE_META_CHAOS;
	if (options->timing.no_sites)
		meta->numbers.flags |= TRACE_META_NO_SITES;
	if (options->timing.agent)
		meta->numbers.flags |= TRACE_META_AGENT;
	if (spawned->cpuid_traps)
		meta->numbers.flags |= TRACE_META_CPUID_TRAPPED;
	if (spawned->time_traps)
		meta->numbers.flags |= TRACE_META_TSC_TRAPPED;
}

static struct error *make_directory(const struct record_options *options, char **directory)
{
	if (!options->directory)
		return trace_place_make(options->argv[0], directory);
	if (!*options->directory)
		return error_new("the name of the recording's directory behind -o is empty; name a "
				 "new directory");
	*directory = xstrdup(options->directory);
	if (mkdir(*directory, 0700) == 0)
		return NULL;
	int errnum = errno;

	if (errnum == EEXIST)
		return error_new(
			"cannot record into %s: it exists already; name a new directory with "
			"-o, or remove it with warp rm",
			options->directory);
	return error_os(errnum,
			"cannot make the directory %s for the recording; name another one "
			"with -o",
			options->directory);
}

#define SLICE_NS    20000000ull
#define PATIENCE_NS 5000000ull

static void session_init(struct rec_session *s, const struct record_timing *timing,
			 const cpu_set_t *allowed, const struct spawn_result *spawned)
{
	struct stat proc;

	*s = (struct rec_session){.start_ns = rec_now(), .cpus = *allowed, .timing = *timing};
	s->chance.state = timing->seed;
	rec_chance_init(s);
	if (!s->timing.slice_ns)
		s->timing.slice_ns = SLICE_NS;
	if (!s->timing.patience_ns)
		s->timing.patience_ns = PATIENCE_NS;
	s->cpuid_traps = spawned->cpuid_traps;
	s->outer_rules = proc_status_number(getpid(), "Seccomp") != 0;
	s->out_known = fstat(1, &s->out) == 0;
	s->err_known = fstat(2, &s->err) == 0;
	s->proc_device = stat("/proc/self/stat", &proc) == 0 ? proc.st_dev : 0;
}

static void session_deinit(struct rec_session *s)
{
	rec_files_deinit(s);
	vec_foreach (&s->groups, group)
		free(*group);
	vec_foreach (&s->ended_groups, group)
		free(*group);
	vec_deinit(&s->groups);
	vec_deinit(&s->ended_groups);
	vec_deinit(&s->early);
	vec_deinit(&s->told);
	trace_writer_destroy(s->writer);
}

/* The last event, so that a reader knows the recording is whole. */
static struct error *end_recording(struct rec_session *s)
{
	struct trace_event event = {
		.time_ns = rec_now() - s->start_ns,
		.tid = (uint32_t)s->first,
		.kind = TRACE_EV_END,
		.result = s->first_status,
	};

	trace_writer_commit(s->writer, s->next_group, &event);
	return trace_writer_finish(s->writer);
}

static void warn_of_rights(pid_t pid, const char *program)
{
	char path[48];
	struct stat status;

	snprintf(path, sizeof(path), "/proc/%d/exe", pid);
	if (stat(path, &status) == 0 && rec_gains_rights(&status))
		log_notice("%s is set-user-ID or set-group-ID: it runs without those rights while "
			   "it is "
			   "recorded; run warp as root to record it with them",
			   program);
}

/* Takes over a program that stands at its exec. */
static struct error *record_from(struct rec_session *s, struct tracee *tracee,
				 const struct spawn_result *spawned)
{
	struct rec_mm *mm = rec_mm_create(s, NULL);
	struct rec_task *t = rec_task_create(s, tracee->tid, tracee->tgid, mm);

	t->tracee = *tracee;
	t->affinity = s->cpus;
	t->no_new_privs = prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1; /* ours, inherited */
	s->first = tracee->tid;
	rec_first_image(s, t);
	if (s->cpuid_traps)
		arch.share_cpuid_trap(true);
	struct error *error = rec_run(s);

	if (s->cpuid_traps)
		arch.share_cpuid_trap(false);
	if (error)
		return error;
	if (!s->first_ended)
		return error_new(
			"the program disappeared without an exit status: somebody else has "
			"waited for it, or traces it; record again without that");
	return end_recording(s);
}

static struct error *start_writer(struct rec_session *s, const struct record_options *options,
				  int core, pid_t tid, const struct spawn_result *spawned,
				  char **directory)
{
	struct trace_meta meta;

	try(tracee_check_room(tid));
	try(make_directory(options, directory));
	describe(&meta, options, core, tid, spawned);
	struct error *error = trace_writer_create_in(*directory, &meta, &s->cpus, &s->writer);

	trace_meta_deinit(&meta);
	if (!error && !options->directory)
		error = trace_place_set_latest(*directory);
	return error;
}

static struct error *spawn_and_record(const struct record_options *options,
				      const struct own_signals *own, const cpu_set_t *allowed,
				      struct record_result *result)
{
	struct spawn_options spawn = {
		.argv = options->argv,
		.image = -1,
		.filter = arch.stop_filter(),
		.time_traps = true,
		.ptrace_options = PTRACE_OPTIONS,
		.mask = own->mask,
		.ignored = own->ignored,
	};
	struct spawn_result spawned;
	struct rec_session session;
	struct tracee tracee;
	cpu_set_t one;
	int core = choose_core(allowed, &one);

	sched_setaffinity(0, sizeof(one), &one);
	try(tracee_spawn(&spawn, &tracee, &spawned));
	session_init(&session, &options->timing, allowed, &spawned);
	forward_to = tracee.tid;
	struct error *error =
		start_writer(&session, options, core, tracee.tid, &spawned, &result->directory);

	warn_of_rights(tracee.tid, options->argv[0]);
	if (!error)
		error = record_from(&session, &tracee, &spawned);
	else
		kill(tracee.tid, SIGKILL);
	if (error && session.writer)
		trace_writer_stop(session.writer, error->os_errno);
	result->status = session.first_status;
	session_deinit(&session);
	return error;
}

struct error *record_program(const struct record_options *options, struct record_result *result)
{
	struct own_signals own;
	cpu_set_t allowed;

	*result = (struct record_result){0};
	if (sched_getaffinity(0, sizeof(allowed), &allowed) < 0)
		return error_hint(error_os(errno, "cannot learn on which processors warp may run"),
				  "allow sched_getaffinity (does a seccomp profile forbid it?)");
	take_signals(&own);
	struct error *error = spawn_and_record(options, &own, &allowed, result);

	return_signals(&own);
	sched_setaffinity(0, sizeof(allowed), &allowed);
	return error;
}
