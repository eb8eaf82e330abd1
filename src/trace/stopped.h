/* Why recording stopped before the program had ended, such as a disk that was full: a small file
 * beside the streams. */
#ifndef WARP_TRACE_STOPPED_H
#define WARP_TRACE_STOPPED_H

#include "util/error.h"

/* Makes the file in the recording's open directory while there is room, without a reason in it. */
struct error *trace_stopped_reserve(int directory, const char *name);
/* Writes the reason, in the room that was reserved: the disk may be full. 0: there is none, and the
 * file is removed. */
void trace_stopped_write(int directory, int errnum);
/* The errno value in it; 0 where there is no such file, or none that makes sense. */
int trace_stopped_read(int directory);

#endif
