/*
 * callback.c
 *		What a provider's report is checked by, and a link in a message: keyed
 *		digests (RFC 2104), as the server's own password check computes them;
 *		and the values of a form.
 */
#include "appt.h"

#include "common/hmac.h"
#include "common/sha1.h"
#include "common/sha2.h"
#include "mb/pg_wchar.h"
#include "utils/builtins.h"

static int	hex_digit(char c);

PG_FUNCTION_INFO_V1(appt_hmac_sql);
PG_FUNCTION_INFO_V1(appt_form_text);

/* appt_internal.hmac(hash text, key bytea, message bytea) */
Datum
appt_hmac_sql(PG_FUNCTION_ARGS)
{
	char	   *hash = text_to_cstring(PG_GETARG_TEXT_PP(0));
	bytea	   *key = PG_GETARG_BYTEA_PP(1);
	bytea	   *message = PG_GETARG_BYTEA_PP(2);
	bool		is_sha1 = strcmp(hash, "sha1") == 0;
	Size		len = is_sha1 ? SHA1_DIGEST_LENGTH : PG_SHA256_DIGEST_LENGTH;
	bytea	   *mac = palloc(VARHDRSZ + len);
	pg_hmac_ctx *context;

	if (!is_sha1 && strcmp(hash, "sha256") != 0)
		ereport(ERROR,
				(errcode(ERRCODE_INVALID_PARAMETER_VALUE),
				 errmsg("there is no HMAC of \"%s\"", hash),
				 errdetail("It is one of sha1 and sha256.")));
	context = pg_hmac_create(is_sha1 ? PG_SHA1 : PG_SHA256);
	SET_VARSIZE(mac, VARHDRSZ + len);
	if (context == NULL ||
		pg_hmac_init(context, (uint8 *) VARDATA_ANY(key),
					 VARSIZE_ANY_EXHDR(key)) < 0 ||
		pg_hmac_update(context, (uint8 *) VARDATA_ANY(message),
					   VARSIZE_ANY_EXHDR(message)) < 0 ||
		pg_hmac_final(context, (uint8 *) VARDATA(mac), len) < 0)
		elog(ERROR, "could not compute an HMAC of \"%s\"", hash);
	pg_hmac_free(context);
	PG_RETURN_BYTEA_P(mac);
}

/*
 * appt_internal.form_text(encoded text): a name or value of a form as it was
 * before it was encoded.  Raises 22021 for what is no text then.
 */
Datum
appt_form_text(PG_FUNCTION_ARGS)
{
	text	   *encoded = PG_GETARG_TEXT_PP(0);
	const char *from = VARDATA_ANY(encoded);
	int			len = VARSIZE_ANY_EXHDR(encoded);
	text	   *decoded = palloc(VARHDRSZ + len);
	char	   *to = VARDATA(decoded);
	int			i;

	for (i = 0; i < len; i++)
	{
		if (from[i] == '%' && i + 2 < len && hex_digit(from[i + 1]) >= 0 &&
			hex_digit(from[i + 2]) >= 0)
		{
			*to++ = (char) (hex_digit(from[i + 1]) << 4 |
							hex_digit(from[i + 2]));
			i += 2;
		}
		else
			*to++ = from[i] == '+' ? ' ' : from[i];
	}
	SET_VARSIZE(decoded, to - (char *) decoded);
	pg_verify_mbstr(GetDatabaseEncoding(), VARDATA(decoded),
					to - VARDATA(decoded), false);
	PG_RETURN_TEXT_P(decoded);
}

/* What the digit stands for; -1: it is none. */
static int
hex_digit(char c)
{
	if (c >= '0' && c <= '9')
		return c - '0';
	if (c >= 'a' && c <= 'f')
		return c - 'a' + 10;
	return c >= 'A' && c <= 'F' ? c - 'A' + 10 : -1;
}
