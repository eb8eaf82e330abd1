/* Mach on Linux: what results mean. */
#ifndef _MACH_ERROR_H_
#define _MACH_ERROR_H_

#include <mach/kern_return.h>
#include <sys/cdefs.h>

__BEGIN_DECLS

typedef kern_return_t mach_error_t;

/* "(os/kern) failure". Static storage. */
char *mach_error_string(mach_error_t error_value);
/* Prints "STR: TEXT (0x5)" on standard error. */
void mach_error(const char *str, mach_error_t error_value);

/* Not of Mach: why the calling thread's last call here that failed did so, in words. Valid until
 * its next call. "" if none has failed. */
const char *mach_warp_explanation(void);

__END_DECLS

#endif
