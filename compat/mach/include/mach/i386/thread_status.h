/* Mach on Linux: kinds of thread states on x86-64. */
#ifndef _MACH_I386_THREAD_STATUS_H_
#define _MACH_I386_THREAD_STATUS_H_

#include <mach/i386/_structs.h>
#include <mach/machine/thread_state.h>
#include <mach/message.h>

#define x86_THREAD_STATE32    1
#define x86_FLOAT_STATE32     2
#define x86_EXCEPTION_STATE32 3
#define x86_THREAD_STATE64    4
#define x86_FLOAT_STATE64     5
#define x86_EXCEPTION_STATE64 6
#define x86_THREAD_STATE      7
#define x86_FLOAT_STATE	      8
#define x86_EXCEPTION_STATE   9
#define x86_DEBUG_STATE32     10
#define x86_DEBUG_STATE64     11
#define x86_DEBUG_STATE	      12
#define THREAD_STATE_NONE     13
#define x86_AVX_STATE32	      16
#define x86_AVX_STATE64	      17
#define x86_AVX_STATE	      18
#define x86_AVX512_STATE32    19
#define x86_AVX512_STATE64    20
#define x86_AVX512_STATE      21

struct x86_state_hdr {
	unsigned int flavor;
	unsigned int count;
};
typedef struct x86_state_hdr x86_state_hdr_t;

typedef _STRUCT_X86_THREAD_STATE32 i386_thread_state_t;
typedef _STRUCT_X86_THREAD_STATE32 x86_thread_state32_t;
typedef _STRUCT_X86_THREAD_STATE64 x86_thread_state64_t;
typedef _STRUCT_X86_FLOAT_STATE64 x86_float_state64_t;
typedef _STRUCT_X86_AVX_STATE64 x86_avx_state64_t;
typedef _STRUCT_X86_AVX512_STATE64 x86_avx512_state64_t;
typedef _STRUCT_X86_EXCEPTION_STATE64 x86_exception_state64_t;
typedef _STRUCT_X86_DEBUG_STATE64 x86_debug_state64_t;

struct x86_thread_state {
	x86_state_hdr_t tsh;
	union {
		x86_thread_state32_t ts32;
		x86_thread_state64_t ts64;
	} uts;
};
typedef struct x86_thread_state x86_thread_state_t;

struct x86_float_state {
	x86_state_hdr_t fsh;
	union {
		x86_float_state64_t fs64;
	} ufs;
};
typedef struct x86_float_state x86_float_state_t;

struct x86_debug_state {
	x86_state_hdr_t dsh;
	union {
		x86_debug_state64_t ds64;
	} uds;
};
typedef struct x86_debug_state x86_debug_state_t;

/* Counts are in words of four bytes. */
#define __MACH_STATE_COUNT(type) ((mach_msg_type_number_t)(sizeof(type) / sizeof(int)))

#define i386_THREAD_STATE_COUNT	    __MACH_STATE_COUNT(i386_thread_state_t)
#define x86_THREAD_STATE32_COUNT    __MACH_STATE_COUNT(x86_thread_state32_t)
#define x86_THREAD_STATE64_COUNT    __MACH_STATE_COUNT(x86_thread_state64_t)
#define x86_THREAD_STATE_COUNT	    __MACH_STATE_COUNT(x86_thread_state_t)
#define x86_FLOAT_STATE64_COUNT	    __MACH_STATE_COUNT(x86_float_state64_t)
#define x86_FLOAT_STATE_COUNT	    __MACH_STATE_COUNT(x86_float_state_t)
#define x86_AVX_STATE64_COUNT	    __MACH_STATE_COUNT(x86_avx_state64_t)
#define x86_AVX512_STATE64_COUNT    __MACH_STATE_COUNT(x86_avx512_state64_t)
#define x86_EXCEPTION_STATE64_COUNT __MACH_STATE_COUNT(x86_exception_state64_t)
#define x86_DEBUG_STATE64_COUNT	    __MACH_STATE_COUNT(x86_debug_state64_t)
#define x86_DEBUG_STATE_COUNT	    __MACH_STATE_COUNT(x86_debug_state_t)

#define i386_THREAD_STATE	   x86_THREAD_STATE32
#define MACHINE_THREAD_STATE	   x86_THREAD_STATE
#define MACHINE_THREAD_STATE_COUNT x86_THREAD_STATE_COUNT

#endif
