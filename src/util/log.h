/* Diagnostic messages on standard error, for the developer's eye; off unless WARP_LOG asks.
 * Notices are for the user and always shown, once each. */
#ifndef WARP_UTIL_LOG_H
#define WARP_UTIL_LOG_H

#include <stdbool.h>

enum log_level {
	LOG_QUIET,
	LOG_INFO,  /* what a session decides */
	LOG_STOPS, /* every stop of every tracee */
};

/* Reads WARP_LOG (0, 1, 2). */
void log_init(void);
bool log_on(enum log_level level);
void log_at(enum log_level level, const char *format, ...) __attribute__((format(printf, 2, 3)));
#define log_info(...) log_at(LOG_INFO, __VA_ARGS__)
#define log_stop(...)                                   \
	do {                                            \
		if (log_on(LOG_STOPS))                  \
			log_at(LOG_STOPS, __VA_ARGS__); \
	} while (0)

/* Tells the user something about this run, as "warp: TEXT". */
void log_notice(const char *format, ...) __attribute__((format(printf, 1, 2)));

#endif
