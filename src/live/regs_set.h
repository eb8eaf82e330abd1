/* Changing registers of a stopped thread, as texts say. */
#ifndef WARP_LIVE_REGS_SET_H
#define WARP_LIVE_REGS_SET_H

#include <stddef.h>

#include "arch/arch.h"
#include "live/engine.h"
#include "util/error.h"

/* Each text is "REGISTER=VALUE", a number in hexadecimal (0x, up to the register's width,
 * underscores between digits) or decimal, or a decimal fraction for an x87 register. All or none
 * are set. The values are checked by reading them back. Errors name register and value. */
struct error *regs_set(struct live_task *task, const struct arch_layout *layout,
		       const char *const *texts, size_t count);

/* The value of a text for that register, or an error. */
struct error *regs_parse_value(const struct arch_reg *reg, const char *text,
			       uint8_t value[ARCH_REG_BYTES]);

#endif
