/*
 * otp.c
 *		One-time codes of six digits, a new one each thirty seconds, by liboath;
 *		one step early or late is good, too, as clocks differ.  A telephone is
 *		told the key as a QR code, drawn by libqrencode.
 *
 *		A recovery code is eighty random bits in base32, four groups of four.
 */
#include "http/otp.h"

#include <ctype.h>
#include <stdlib.h>
#include <string.h>
#include <sys/random.h>
#include <time.h>

#include <liboath/oath.h>
#include <qrencode.h>

#include "common/buf.h"
#include "common/encode.h"
#include "http/text.h"

#define OTP_DIGITS 6
#define OTP_STEP_S 30
#define OTP_WINDOW 1
#define OTP_ISSUER "bioecko_appt"
#define QR_MARGIN 4				/* modules of white around it */
#define RECOVERY_BYTES 10
#define RECOVERY_CODES 10

static const char *base32_of(Arena *arena, const unsigned char *bytes,
							 size_t len);
static const char *recovery_code(Arena *arena);

/* Before any loop; false: liboath does not work. */
bool
otp_init(void)
{
	return oath_init() == OATH_OK;
}

/* Whether it is six digits, and so no recovery code. */
bool
otp_is_code(const char *text)
{
	return strlen(text) == OTP_DIGITS &&
		strspn(text, "0123456789") == OTP_DIGITS;
}

/* The time step that the code is of, now or nearly; 0: of none. */
int64_t
otp_step(const char *secret_hex, const char *code)
{
	unsigned char secret[OTP_SECRET_SIZE];
	uint64_t	step = 0;
	int			found;

	if (!otp_is_code(code) || !decode_hex(secret_hex, secret, sizeof(secret)))
		return 0;
	found = oath_totp_validate3((const char *) secret, sizeof(secret),
								time(NULL), OTP_STEP_S, 0, OTP_WINDOW, NULL,
								&step, code);
	return found >= 0 ? (int64_t) step : 0;
}

/*
 * The key as telephones take it: a URL of scheme otpauth, and the key alone in
 * base32, both in the arena.  NULL: it is no key in hex.
 */
const char *
otp_url(Arena *arena, const char *secret_hex, const char *account,
		const char **base32)
{
	unsigned char secret[OTP_SECRET_SIZE];

	if (!decode_hex(secret_hex, secret, sizeof(secret)))
		return NULL;
	*base32 = base32_of(arena, secret, sizeof(secret));
	return arena_printf(arena,
						"otpauth://totp/" OTP_ISSUER ":%s?secret=%s&issuer="
						OTP_ISSUER "&algorithm=SHA1&digits=%d&period=%d",
						account, *base32, OTP_DIGITS, OTP_STEP_S);
}

/* The text as a QR code, an SVG image; NULL: it does not fit. */
const char *
otp_qr_svg(Arena *arena, const char *text)
{
	QRcode	   *code = QRcode_encodeString(text, 0, QR_ECLEVEL_M, QR_MODE_8, 1);
	Buf			svg = {0};
	const char *copy;
	int			x;
	int			y;

	if (code == NULL)
		return NULL;
	buf_printf(&svg, "<svg xmlns=\"http://www.w3.org/2000/svg\" "
			   "viewBox=\"0 0 %d %d\" shape-rendering=\"crispEdges\">"
			   "<path fill=\"#fff\" d=\"M0 0h%dv%dH0z\"/>"
			   "<path fill=\"#000\" d=\"",
			   code->width + 2 * QR_MARGIN, code->width + 2 * QR_MARGIN,
			   code->width + 2 * QR_MARGIN, code->width + 2 * QR_MARGIN);
	for (y = 0; y < code->width; y++)
	{
		for (x = 0; x < code->width; x++)
		{
			if ((code->data[y * code->width + x] & 1) != 0)
				buf_printf(&svg, "M%d %dh1v1h-1z", x + QR_MARGIN,
						   y + QR_MARGIN);
		}
	}
	buf_text(&svg, "\"/></svg>");
	QRcode_free(code);
	copy = arena_strdup(arena, buf_get(&svg));
	buf_free(&svg);
	return copy;
}

/*
 * New recovery codes, into an array of JSON; returns by what the database is
 * to know them, an array literal.  NULL: the system has no randomness.
 */
const char *
otp_recovery_codes(Arena *arena, json_t *codes)
{
	Buf			hashes = {0};
	const char *copy;
	int			i;

	buf_char(&hashes, '{');
	for (i = 0; i < RECOVERY_CODES; i++)
	{
		const char *code = recovery_code(arena);

		if (code == NULL)
		{
			buf_free(&hashes);
			return NULL;
		}
		if (i > 0)
			buf_char(&hashes, ',');
		buf_text(&hashes, otp_recovery_hash(arena, code));
		json_array_append_new(codes, json_string(code));
	}
	buf_char(&hashes, '}');
	copy = arena_strdup(arena, buf_get(&hashes));
	buf_free(&hashes);
	return copy;
}

/* A new recovery code; NULL: the system has no randomness. */
static const char *
recovery_code(Arena *arena)
{
	unsigned char bytes[RECOVERY_BYTES];
	const char *text;

	if (getrandom(bytes, sizeof(bytes), 0) != sizeof(bytes))
		return NULL;
	text = base32_of(arena, bytes, sizeof(bytes));
	return arena_printf(arena, "%.4s-%.4s-%.4s-%.4s", text, text + 4, text + 8,
						text + 12);
}

/* By what the database knows it, however it was typed. */
const char *
otp_recovery_hash(Arena *arena, const char *code)
{
	char	   *plain = arena_strdup(arena, code);
	char	   *hex = arena_alloc(arena, SHA256_HEX_SIZE);
	const char *part = plain;
	char	   *end = plain;

	for (; *code != '\0'; code++)
	{
		if (isalnum((unsigned char) *code))
			*end++ = (char) toupper((unsigned char) *code);
	}
	*end = '\0';
	text_sha256_hex(&part, 1, hex);
	return hex;
}

/* Bytes in base32 (RFC 4648). */
static const char *
base32_of(Arena *arena, const unsigned char *bytes, size_t len)
{
	char	   *text = NULL;
	const char *copy;

	if (oath_base32_encode((const char *) bytes, len, &text, NULL) != OATH_OK)
		return "";
	text[strcspn(text, "=")] = '\0';
	copy = arena_strdup(arena, text);
	free(text);
	return copy;
}
