/* The JSON writer: literal expectations for every kind of value, nesting and every kind of byte. */
#include <setjmp.h>
#include <stdarg.h>
#include <stddef.h>
#include <stdint.h>
#include <stdlib.h>

#include <cmocka.h>

#include "util/cleanup.h"
#include "util/json.h"

struct document {
	char *text;
	size_t size;
	FILE *out;
	struct json json;
};

static struct json *start(struct document *document)
{
	document->out = open_memstream(&document->text, &document->size);
	assert_non_null(document->out);
	json_init(&document->json, document->out);
	return &document->json;
}

static void check(struct document *document, const char *text)
{
	assert_int_equal(ferror(document->out), 0);
	fclose(document->out);
	assert_string_equal(document->text, text);
	free(document->text);
}

static void test_nesting(void **state)
{
	struct document document;
	struct json *json = start(&document);

	json_begin_object(json);
	json_key(json, "empty");
	json_begin_array(json);
	json_end_array(json);
	json_key(json, "list");
	json_begin_array(json);
	json_int(json, 1);
	json_begin_object(json);
	json_end_object(json);
	json_begin_array(json);
	json_bool(json, true);
	json_bool(json, false);
	json_end_array(json);
	json_null(json);
	json_end_array(json);
	json_member_text(json, "after", "x");
	json_end_object(json);
	check(&document, "{\"empty\":[],\"list\":[1,{},[true,false],null],\"after\":\"x\"}");
}

static void test_numbers(void **state)
{
	struct document document;
	struct json *json = start(&document);

	json_begin_object(json);
	json_member_int(json, "min", INT64_MIN);
	json_member_uint(json, "max", UINT64_MAX);
	json_member_hex(json, "hex", UINT64_MAX);
	json_member_hex(json, "zero", 0);
	json_end_object(json);
	check(&document, "{\"min\":-9223372036854775808,\"max\":18446744073709551615,"
			 "\"hex\":\"0xffffffffffffffff\",\"zero\":\"0x0\"}");
}

static void check_string(const char *bytes, size_t length, const char *text)
{
	struct document document;

	json_string(start(&document), bytes, length);
	check(&document, text);
}

static void test_escapes(void **state)
{
	check_string("a\"b\\c/\b\f\n\r\t", 11, "\"a\\\"b\\\\c/\\b\\f\\n\\r\\t\"");
	check_string("\0\1\x1f\x7f", 4, "\"\\u0000\\u0001\\u001f\\u007f\"");
	check_string("", 0, "\"\"");
}

static void test_utf8_is_kept(void **state)
{
	check_string("\u00e9\u20ac\U0001F600", 9, "\"\u00e9\u20ac\U0001F600\"");
	check_string("\xf4\x8f\xbf\xbf", 4, "\"\xf4\x8f\xbf\xbf\"");
}

static void test_other_bytes_are_latin1(void **state)
{
	/* one byte that does not fit makes the whole string one of bytes */
	check_string("\xc3\xa9\xff", 3, "\"\\u00c3\\u00a9\\u00ff\"");
	check_string("\xc0\x80", 2, "\"\\u00c0\\u0080\"");	      /* overlong */
	check_string("\xe0\x80\x80", 3, "\"\\u00e0\\u0080\\u0080\""); /* overlong */
	check_string("\xed\xa0\x80", 3, "\"\\u00ed\\u00a0\\u0080\""); /* a surrogate */
	check_string("\xf4\x90\x80\x80", 4, "\"\\u00f4\\u0090\\u0080\\u0080\"");
	check_string("\xe2\x82", 2, "\"\\u00e2\\u0082\""); /* cut short */
	check_string("\xe2\x82(", 3, "\"\\u00e2\\u0082(\"");
}

int main(void)
{
	const struct CMUnitTest tests[] = {
		cmocka_unit_test(test_nesting),
		cmocka_unit_test(test_numbers),
		cmocka_unit_test(test_escapes),
		cmocka_unit_test(test_utf8_is_kept),
		cmocka_unit_test(test_other_bytes_are_latin1),
	};

	return cmocka_run_group_tests(tests, NULL, NULL);
}
