/* Mach on Linux: results in words. The texts are those that mach_error_string has elsewhere. */
#include <stdarg.h>
#include <stdio.h>
#include <string.h>

#include "private.h"

#define COUNT(array) (sizeof(array) / sizeof(*(array)))

/* Each thread has its own; the only other state of the library is in names.c. */
static __thread char explanation[512];

static const char *const kernel_texts[] = {
	"(os/kern) successful",
	"(os/kern) invalid address",
	"(os/kern) protection failure",
	"(os/kern) no space available",
	"(os/kern) invalid argument",
	"(os/kern) failure",
	"(os/kern) resource shortage",
	"(os/kern) not receiver",
	"(os/kern) no access",
	"(os/kern) memory failure",
	"(os/kern) memory error",
	"(os/kern) already in set",
	"(os/kern) not in set",
	"(os/kern) name exists",
	"(os/kern) aborted",
	"(os/kern) invalid name",
	"(os/kern) invalid task",
	"(os/kern) invalid right",
	"(os/kern) invalid value",
	"(os/kern) urefs overflow",
	"(os/kern) invalid capability",
	"(os/kern) right exists",
	"(os/kern) invalid host",
	"(os/kern) memory present",
	"(os/kern) memory data moved",
	"(os/kern) memory restart copy",
	"(os/kern) invalid processor set",
	"(os/kern) policy limit",
	"(os/kern) invalid policy",
	"(os/kern) invalid object",
	"(os/kern) already waiting",
	"(os/kern) default set",
	"(os/kern) exception protected",
	"(os/kern) invalid ledger",
	"(os/kern) invalid memory control",
	"(os/kern) invalid security",
	"(os/kern) not depressed",
	"(os/kern) object terminated",
	"(os/kern) lock set destroyed",
	"(os/kern) lock unstable",
	"(os/kern) lock owned by another",
	"(os/kern) lock owned by self",
	"(os/kern) semaphore destroyed",
	"(os/kern) RPC terminated",
	"(os/kern) terminate orphan",
	"(os/kern) let orphan continue",
	"(os/kern) service not supported",
	"(os/kern) remote node down",
	"(os/kern) thread not waiting",
	"(os/kern) operation timed out",
	"(os/kern) code signing error",
	"(os/kern) policy is static",
	"(os/kern) insufficient input buffer size",
	"(os/kern) denied by security policy",
	"(os/kern) missing kernel collection",
	"(os/kern) invalid kernel collection",
	"(os/kern) result not found",
};

char *mach_error_string(mach_error_t error_value)
{
	if (error_value >= 0 && (size_t)error_value < COUNT(kernel_texts))
		return (char *)kernel_texts[error_value];
	if (error_value == MACH_SEND_INVALID_DEST)
		return (char *)"(ipc/send) invalid destination port";
	return (char *)"unknown error code";
}

void mach_error(const char *str, mach_error_t error_value)
{
	fprintf(stderr, "%s %s (%#x)\n", str, mach_error_string(error_value),
		(unsigned)error_value);
}

kern_return_t mw_explain(kern_return_t result, const char *format, ...)
{
	va_list args;

	va_start(args, format);
	vsnprintf(explanation, sizeof(explanation), format, args);
	va_end(args);
	return result;
}

void mw_explain_nothing(void)
{
	*explanation = 0;
}

const char *mach_warp_explanation(void)
{
	return explanation;
}
