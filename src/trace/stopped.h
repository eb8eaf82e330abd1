/* Why recording stopped before the program had ended, such as a disk that was full: a small file
 * beside the streams. */
#ifndef WARP_TRACE_STOPPED_H
#define WARP_TRACE_STOPPED_H

/* Writes it into the recording's open directory, as far as that can be done: the disk may be full
 * still. */
void trace_stopped_write(int directory, int errnum);
/* The errno value in it; 0 where there is no such file, or none that makes sense. */
int trace_stopped_read(int directory);

#endif
