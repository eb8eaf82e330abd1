/* The layout of a recording on disk. docs/trace-format.md explains it in words; both change
 * together, and TRACE_VERSION with them. Little-endian, fixed widths, stdint only. */
#ifndef WARP_ABI_TRACE_ABI_H
#define WARP_ABI_TRACE_ABI_H

#include <stdint.h>

#define TRACE_VERSION	 3
#define TRACE_MAGIC	 "WARPTRC\0"
#define TRACE_MAGIC_SIZE 8

/* Optional parts that a reader must know to replay a recording. */
#define TRACE_FEATURE_AGENT  1ull /* TRACE_PROBE_CALL */
#define TRACE_FEATURES_KNOWN TRACE_FEATURE_AGENT

/* Register words of an event. On x86-64: struct user_regs_struct of <sys/user.h>, in its order. */
#define TRACE_REGS 27

/* ---- files of the directory: meta, events.G, data.G (G: group from 0), files, files.d/ID ---- */

/* ---- the file `meta`: this header, then `length` bytes of fields: struct trace_meta_field, its
 * bytes, zeros up to the next multiple of 8. Magic, version and writer keep their places for ever,
 * so that any reader can name the version it cannot read. ---- */

#define TRACE_META_MAGIC  "WARPMETA"
#define TRACE_META_WRITER 48
/* A reader refuses a longer `meta`: the kernel limits arguments and environment to 6 MB. */
#define TRACE_META_MAX (16u << 20)

struct trace_meta_header {
	uint8_t magic[TRACE_MAGIC_SIZE];
	uint32_t version;		/* TRACE_VERSION */
	char writer[TRACE_META_WRITER]; /* e.g. "warp 0.1.0", padded with zeros */
	uint32_t reserved;
	uint64_t features; /* a reader refuses the recording if it does not know one of them */
	uint64_t length;   /* bytes that follow */
	uint64_t hash;	   /* XXH64, seed 0, of the header before this field and of what follows */
};

/* Fields may come in any order; command, environment and cpuid fields repeat, in their order.
 * A reader skips a field that it does not know. Texts have no NUL at the end. */
enum trace_meta_tag {
	TRACE_META_MACHINE = 1,	   /* text: uname -m */
	TRACE_META_KERNEL = 2,	   /* text: uname's release and version */
	TRACE_META_ARGUMENT = 3,   /* text: one element of the command */
	TRACE_META_VARIABLE = 4,   /* text: one NAME=VALUE of the environment */
	TRACE_META_DIRECTORY = 5,  /* text: working directory */
	TRACE_META_EXECUTABLE = 6, /* text: path of the program, as found */
	TRACE_META_NUMBERS = 7,	   /* struct trace_meta_numbers */
	TRACE_META_CPUID = 8,	   /* struct trace_meta_cpuid */
	TRACE_META_HOST = 9,	   /* text: uname -n */
};

struct trace_meta_field {
	uint32_t tag;
	uint32_t length;
};

enum trace_meta_flags {
	TRACE_META_CPUID_TRAPPED = 1, /* cpuid was made to trap: its results are recorded */
	TRACE_META_TSC_TRAPPED = 2,
	TRACE_META_AGENT = 4,	  /* the agent was in use */
	TRACE_META_CHAOS = 8,	  /* turns and places were chosen by chance */
	TRACE_META_NO_SITES = 16, /* the program's code is not changed, nor is it by a replay */
};

struct trace_meta_numbers {
	int64_t start_ns;	  /* CLOCK_REALTIME when the recording began */
	uint64_t flags;		  /* enum trace_meta_flags */
	uint64_t xstate_features; /* XCR0 */
	uint32_t xstate_size;	  /* bytes of a TRACE_D_XSTATE record */
	uint32_t page_size;
	uint32_t cpu; /* the tracees were pinned to it */
	uint32_t reserved;
	uint64_t seed; /* of chance */
};

struct trace_meta_cpuid {
	uint32_t leaf, subleaf, eax, ebx, ecx, edx;
};

/* ---- streams: events.G, data.G and files are a stream header and then frames ---- */

struct trace_stream_header {
	uint8_t magic[TRACE_MAGIC_SIZE];
	uint32_t version;
	uint32_t stream; /* enum trace_stream */
	uint64_t features;
	uint32_t group;
	uint32_t record_size; /* fixed-width streams: bytes a record; else 0 */
};

enum trace_stream {
	TRACE_STREAM_EVENTS = 1,
	TRACE_STREAM_DATA = 2,
	TRACE_STREAM_FILES = 3,
};

#define TRACE_FRAME_MAGIC 0x4d524657u /* "WFRM" */
/* No frame is larger than this when decompressed; a reader refuses one that says otherwise. */
#define TRACE_FRAME_MAX (16u << 20)
/* No data record has more bytes: longer memory is several records in a row. A record may lie in
 * several frames. Frames of a data stream begin and end at multiples of 8 bytes. */
#define TRACE_DATUM_MAX (4u << 20)

struct trace_frame_header {
	uint32_t magic;
	uint32_t count; /* records in the frame (0 in data streams) */
	uint64_t first; /* number of its first event; in a data stream: offset of its first byte */
	uint64_t last;	/* number of its last event; in a data stream: 0 */
	uint32_t raw_length;  /* bytes before compression */
	uint32_t zstd_length; /* bytes that follow this header */
	uint64_t hash;	      /* XXH64, seed 0, of the zstd_length compressed bytes */
	uint64_t header_hash; /* XXH64, seed 0, of the fields above */
};

/* ---- events ---- */

enum trace_event_kind {
	TRACE_EV_NONE = 0,
	TRACE_EV_START = 1,	    /* first event of the first task: after its exec */
	TRACE_EV_SYSCALL = 2,	    /* a whole call: regs at its entry, result */
	TRACE_EV_SYSCALL_ENTER = 3, /* a call that lets others run before it ends: regs at entry */
	TRACE_EV_SYSCALL_EXIT = 4,  /* its end: regs after it, result */
	TRACE_EV_RESTART = 5,	    /* the kernel restarts the call: regs as they become */
	TRACE_EV_INSN = 6,   /* trapped instruction (rdtsc, cpuid): regs at it; TRACE_D_REGS */
	TRACE_EV_SIGNAL = 7, /* a handler is entered: regs before; TRACE_D_REGS: in it */
	TRACE_EV_SIGNAL_FATAL = 8, /* a signal ends the process: regs where it hit */
	TRACE_EV_TASK_NEW = 9,	   /* tid made task `result`: regs: the child's first */
	TRACE_EV_EXEC = 10,	   /* a new program image: regs at its first instruction */
	TRACE_EV_TASK_EXIT = 11,   /* the task is gone: result: wait status */
	TRACE_EV_FILE_WRITE = 12,  /* a mapped file changed: arg: file id; TRACE_D_FILE_BYTES */
	TRACE_EV_SCHED = 13,	   /* others run: regs at the TRACE_D_PLACE, or before a call */
	TRACE_EV_END = 14,	   /* last event; result: wait status of the first process */
	TRACE_EV_PROBES = 15,	   /* sites of the task's address space change: TRACE_D_PROBE */
	TRACE_EV_KINDS
};

enum trace_event_flags {
	TRACE_F_ECHO_STDOUT = 1, /* the call wrote to what was the recorder's standard output */
	TRACE_F_ECHO_STDERR = 2,
	TRACE_F_SYNC_FAULT = 4,	 /* a signal caused by the instruction at regs' pc */
	TRACE_F_BEFORE_CALL = 8, /* it happens just before the system call that comes next */
	TRACE_F_AFTER_CALL = 16, /* a signal taken at the end of the system call before */
	TRACE_F_FALLBACK = 32,	/* recorded by comparing memory: the table does not know the call */
	TRACE_F_SCRATCH = 64,	/* outputs went through scratch memory */
	TRACE_F_ASYNC = 256,	/* a signal taken between sync events: TRACE_D_PLACE tells where */
	TRACE_F_BUFFERED = 512, /* made and recorded by the agent, without a stop */
	TRACE_F_REFUSED = 128,	/* not made: answered by the recorder */
};

struct trace_event {
	uint64_t number;  /* in the whole recording, from 1 */
	uint64_t time_ns; /* CLOCK_MONOTONIC since the recording began */
	uint32_t tid;	  /* as the recorder saw it */
	uint16_t kind;
	uint16_t flags;
	uint32_t arg;	     /* system call number, signal, file id: by kind */
	uint32_t data_count; /* records in the data stream of the group */
	int64_t result;
	uint64_t data_offset; /* of the first one, in the decompressed stream */
	uint64_t data_length; /* bytes of all of them, headers and padding included */
	uint64_t regs[TRACE_REGS];
};

/* ---- data records: a header, `length` bytes, zeros up to the next multiple of 8 ---- */

enum trace_datum_kind {
	TRACE_D_MEMORY = 1,    /* bytes the tracee's memory has at addr after the event */
	TRACE_D_INPUT = 2,     /* bytes that a call read there: of much the beginning only */
	TRACE_D_XSTATE = 3,    /* vector and floating point registers (NT_X86_XSTATE) */
	TRACE_D_SIGINFO = 4,   /* siginfo_t of a signal */
	TRACE_D_MAPPING = 5,   /* struct trace_mapping; of a madvise or mprotect that failed: what
				* it had changed before */
	TRACE_D_TASK = 6,      /* struct trace_task */
	TRACE_D_EXEC_PATH = 7, /* path of the executed file */
	TRACE_D_AUXV = 8,
	TRACE_D_FILE_BYTES =
		9, /* addr: offset in the file `event.arg`; length 0: truncated there */
	TRACE_D_STATE_HASH = 10, /* u64: hash over registers and memory, debug builds */
	TRACE_D_NAME = 11,	 /* the thread's name (comm) */
	TRACE_D_REGS = 12, /* TRACE_REGS words: all registers after the event, where they do not
				 * follow from regs and result */
	TRACE_D_MEMORY_OF = 13,	  /* as TRACE_D_MEMORY, in the address space of task `flags` */
	TRACE_D_STACK_LIMIT = 14, /* u64: soft RLIMIT_STACK from now on */
	TRACE_D_WITNESS = 15, /* struct trace_witness[]: the state at the place that regs are of */
	TRACE_D_WITNESS_BYTES = 16, /* bytes at addr at that place: of memory that changes often */
	TRACE_D_PLACE = 17,	    /* struct trace_place: where between events the task is */
	TRACE_D_PROBE = 18,	    /* struct trace_probe */
	TRACE_D_INPUT_HASH = 19,    /* struct trace_extent: bytes that a call read from addr on */
	TRACE_D_KINDS
};

struct trace_datum {
	uint32_t kind;
	uint32_t flags;
	uint64_t addr;
	uint64_t length;
};

/* A place between sync events. `hits`: sites that the task has passed by then (struct trace_probe),
 * since it or its image began. */
struct trace_place {
	uint64_t hits;
	uint64_t vector_hash; /* XXH64, seed 0, of the vector registers: to be sure */
	uint32_t kind;	      /* enum trace_place_kind */
	uint32_t steps;
};

enum trace_place_kind {
	/* Where `hits` sites have been passed (at the last site, if the task's previous event was
	 * before that), and then `steps` instructions executed, repeated ones counting as one. */
	TRACE_PLACE_EXACT = 1,
	/* After that, the first place with the event's registers where memory is as
	 * TRACE_D_WITNESS. */
	TRACE_PLACE_STATE = 2,
};

/* In trace_probe.shadow: the site does not count, but lets the agent make the system call there. */
#define TRACE_PROBE_CALL 0x80000000u

/* A site in the code of the task's address space that counts each time it is passed: its
 * instructions are replaced by a jump to a stub. */
struct trace_probe {
	uint64_t pc, at; /* of the site and of the stub */
	uint32_t length; /* bytes of whole instructions replaced; 0: the site is no more */
	uint32_t shadow; /* bytes from pc on where the arithmetic flags mean nothing; 0: all kept */
};

/* Memory that hashes to this. The first of a record has length 0: the vector registers. */
struct trace_witness {
	uint64_t addr;
	uint64_t length; /* at most a page; or up to 256 whole ones */
	uint64_t hash;	 /* XXH64, seed 0; of several pages: of their hashes, little-endian */
};

struct trace_extent {
	uint64_t length;
	uint64_t hash; /* XXH64, seed 0, of these bytes */
};

#define TRACE_NO_FILE UINT32_MAX

struct trace_mapping {
	uint64_t start, end;
	uint64_t offset; /* in the file, bytes */
	uint32_t prot;	 /* PROT_* */
	uint32_t flags;	 /* MAP_SHARED or MAP_PRIVATE, MAP_GROWSDOWN, MAP_ANONYMOUS */
	uint32_t file;	 /* id in the stream `files`, or TRACE_NO_FILE */
	uint32_t reserved;
};

struct trace_task {
	uint32_t tid, tgid, parent_tid;
	uint32_t group;	      /* group whose stream has its events */
	uint64_t clone_flags; /* CLONE_* as the kernel took them, with CLONE_VM for vfork */
	uint64_t stack;
};

/* ---- the stream `files`: one record for each distinct content that was mapped ---- */

enum trace_file_flags {
	TRACE_FILE_SHARED = 1,	/* mapped shared and writable: replay works on a copy */
	TRACE_FILE_WRITTEN = 2, /* TRACE_EV_FILE_WRITE events change it: replay works on a copy */
	TRACE_FILE_NO_NAME = 4, /* memfd, SysV, deleted or anonymous shared memory */
};

/* ---- the file `found`: this header and `count` records. Written by replays ---- */

#define TRACE_FOUND_MAGIC "WARPFND\0"

struct trace_found_header {
	uint8_t magic[TRACE_MAGIC_SIZE];
	uint32_t version; /* TRACE_VERSION */
	uint32_t count;
	uint64_t hash; /* XXH64, seed 0, of the records */
};

/* A place by state (TRACE_PLACE_STATE), as a number. */
struct trace_found {
	uint64_t event;	 /* number of the event that it is the place of */
	uint64_t visits; /* how often its instruction is reached, from `hits` sites on */
};

/* ---- the file `stopped`: written where recording ended before the program did ---- */

#define TRACE_STOPPED_MAGIC "WARPSTP\0"

struct trace_stopped {
	uint8_t magic[TRACE_MAGIC_SIZE];
	uint32_t version; /* TRACE_VERSION */
	uint32_t error;	  /* errno value: why */
};

#define TRACE_FILE_PATH 4096

struct trace_file {
	uint32_t id; /* from 0; a later record with the same id replaces the earlier one */
	uint32_t flags;
	uint64_t size;
	uint64_t device, inode;
	int64_t mtime_ns;
	/* XXH3 128 of the 4096-byte blocks that are not all zeros, each after its offset (u64);
	 * both words zero: no contents kept */
	uint64_t hash_low, hash_high;
	uint32_t path_length; /* the path's bytes follow, padded with zeros to 8 */
	uint32_t reserved;
};

#endif
