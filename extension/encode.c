/*
 * encode.c
 *		How values stand in URLs, forms and headers, which so are of one part or
 *		of one line whatever a value has in it.
 */
#include "appt.h"

#include "lib/stringinfo.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

PG_FUNCTION_INFO_V1(appt_header_value);
PG_FUNCTION_INFO_V1(appt_url_encode);

/* header_value(value): one line of it. */
Datum
appt_header_value(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	StringInfoData out;

	initStringInfo(&out);
	appt_add_line(&out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* url_encode(value) */
Datum
appt_url_encode(PG_FUNCTION_ARGS)
{
	text	   *value = PG_GETARG_TEXT_PP(0);
	StringInfoData out;

	initStringInfo(&out);
	appt_add_encoded(&out, VARDATA_ANY(value), VARSIZE_ANY_EXHDR(value));
	PG_RETURN_TEXT_P(cstring_to_text_with_len(out.data, out.len));
}

/* Percent-encoded but for letters, digits and -._~ (RFC 3986). */
void
appt_add_encoded(StringInfo out, const char *text, int len)
{
	static const char hex[] = "0123456789ABCDEF";
	int			i;

	for (i = 0; i < len; i++)
	{
		unsigned char c = (unsigned char) text[i];

		if ((c >= '0' && c <= '9') || (c >= 'A' && c <= 'Z') ||
			(c >= 'a' && c <= 'z') || c == '-' || c == '.' || c == '_' ||
			c == '~')
			appendStringInfoCharMacro(out, c);
		else
		{
			appendStringInfoCharMacro(out, '%');
			appendStringInfoCharMacro(out, hex[c >> 4]);
			appendStringInfoCharMacro(out, hex[c & 15]);
		}
	}
}

/* A blank takes the place of control characters, of several in a row too. */
void
appt_add_line(StringInfo out, const char *text, int len)
{
	bool		last = false;

	while (len > 0)
	{
		int			size = pg_encoding_mblen(PG_UTF8, text);
		pg_wchar	c = utf8_to_unicode((const unsigned char *) text);
		bool		control = c < ' ' || (c >= 0x7f && c < 0xa0) ||
			c == 0x2028 || c == 0x2029;

		if (!control)
			appendBinaryStringInfo(out, text, size);
		else if (!last)
			appendStringInfoChar(out, ' ');
		last = control;
		text += size;
		len -= size;
	}
}
