/* Expressions: whatever the text, it is understood or explained, and what is understood gives a program that
 * the kernel would take and answers that agree with it. */
#include <linux/filter.h>
#include <linux/seccomp.h>
#include <stdint.h>
#include <stdlib.h>
#include <string.h>

#include "expr/expr.h"
#include "util/cleanup.h"

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length);

static size_t read_nothing(void *context, taddr addr, void *to, size_t length)
{
	return 0;
}

/* Every jump stays inside, and the last instruction returns (bpf_check_classic() in the kernel). */
static void check_program(const struct expr_code *code)
{
	if (code->count == 0 || code->count > BPF_MAXINSNS)
		abort();
	for (size_t i = 0; i < code->count; i++) {
		const struct sock_filter *insn = &code->items[i];
		size_t room = code->count - i - 1;

		if (BPF_CLASS(insn->code) != BPF_JMP)
			continue;
		if (BPF_OP(insn->code) == BPF_JA ? insn->k >= room
						 : insn->jt >= room || insn->jf >= room)
			abort();
	}
	if (BPF_CLASS(code->items[code->count - 1].code) != BPF_RET)
		abort();
}

static void check_answers(const struct expr *expr, int nr)
{
	static const struct sc_memory memory = {.read = read_nothing};
	static const struct expr_process process = {.pid = 2, .tid = 3};
	struct sc_call call = {.nr = nr, .args = {1, 2, 3, UINT64_MAX, 0x80000, 0x100000001}};
	struct expr_call at = {&call, &memory, &process};
	struct expr_memo memo = {0};
	enum expr_answer answer = expr_match_entry(expr, &at, &memo);
	bool matches;

	if (answer != EXPR_NO && !expr_may_match(expr, nr))
		abort();
	if (answer == EXPR_MAYBE && !expr_needs_result(expr, nr))
		abort();
	call.ended = true;
	call.result = -2;
	matches = expr_match_exit(expr, &at, &memo);
	if (answer != EXPR_MAYBE && matches != (answer == EXPR_YES))
		abort();
}

int LLVMFuzzerTestOneInput(const uint8_t *input, size_t length)
{
	static const struct expr_bpf_options options = {SECCOMP_RET_TRACE, SECCOMP_RET_ALLOW};
	char *text _cleanup_free_ = xmalloc(length + 1);
	const struct expr *expr;
	struct expr_code code = {0};
	struct error *error;

	memcpy(text, input, length);
	text[length] = 0;
	error = expr_parse(text, (struct expr **)&expr);
	if (error) {
		if (!strchr(error->text, '^'))
			abort();
		error_free(error);
		return 0;
	}
	expr_bpf(&expr, 1, &options, &code);
	check_program(&code);
	for (int nr = 0; nr < 20; nr++)
		check_answers(expr, nr);
	check_answers(expr, 100000);
	vec_deinit(&code);
	expr_destroy((struct expr *)expr);
	return 0;
}
