/*
 * mime.c
 *		An e-mail as it goes over the wire (RFC 5322, 2045 to 2047).
 *
 *		multipart/mixed of multipart/alternative (text, HTML, the calendar
 *		with its method in the type) and the calendar again as an attachment:
 *		what Gmail, Outlook and Apple Calendar each look for.
 *
 *		Every body is quoted-printable, which has no "=_": so no boundary can
 *		stand in one.  A header's text is an atom, quoted, or encoded words:
 *		a control character never reaches one.
 */
#include "relay/mime.h"

#include <openssl/evp.h>
#include <string.h>

#define LINE_MAX_CHARS 76
#define WORD_MAX_OCTETS 45		/* of an encoded word: 60 of base64 */

static const char mixed[] = "=_mixed_of_bioecko_appt";
static const char alternative[] = "=_alternative_of_bioecko_appt";

static void write_headers(Buf *out, const Mail *mail);
static void write_parts(Buf *out, const Mail *mail);
static void mailbox(Buf *out, const char *header, const char *name,
					const char *address);
static void text_header(Buf *out, const char *header, const char *text);
static bool is_plain(const char *text);
static void quoted(Buf *out, const char *text);
static void encoded_words(Buf *out, const char *text);
static void encoded_word(Buf *out, const char *text, size_t len);
static void write_date(Buf *out, time_t date);
static void begin_part(Buf *out, const char *boundary, const char *type);
static void quoted_printable(Buf *out, const char *text);
static void write_html(Buf *out, const Mail *mail);
static void html_text(Buf *page, const char *text, size_t len);
static size_t url_length(const char *text);

/*
 * Whether it can stand in an SMTP command and a header as it is: ASCII without
 * blanks, quotes, brackets, separators and control characters.
 */
bool
mime_is_address(const char *text)
{
	const char *at = strchr(text, '@');
	const char *p;

	if (at == NULL || at == text || at[1] == '\0' || at[1] == '-' ||
		text[0] == '-' || strlen(text) > 320)
		return false;
	for (p = text; *p != '\0'; p++)
	{
		if (*p <= ' ' || *p > '~' || strchr("\"\\<>()[],:;", *p) != NULL ||
			(*p == '@' && p != at))
			return false;
	}
	return true;
}

/* Adds the whole mail. */
void
mime_write(Buf *out, const Mail *mail)
{
	write_headers(out, mail);
	if (mail->calendar == NULL)
		buf_printf(out, "Content-Type: multipart/alternative; "
				   "boundary=\"%s\"\r\n\r\n", alternative);
	else
	{
		buf_printf(out, "Content-Type: multipart/mixed; "
				   "boundary=\"%s\"\r\n\r\n", mixed);
		buf_printf(out, "--%s\r\nContent-Type: multipart/alternative; "
				   "boundary=\"%s\"\r\n\r\n", mixed, alternative);
	}
	write_parts(out, mail);
	if (mail->calendar == NULL)
		return;
	begin_part(out, mixed, "application/ics; name=\"invite.ics\"\r\n"
			   "Content-Disposition: attachment; filename=\"invite.ics\"");
	quoted_printable(out, mail->calendar);
	buf_printf(out, "--%s--\r\n", mixed);
}

/* All but what the body is. */
static void
write_headers(Buf *out, const Mail *mail)
{
	mailbox(out, "From", mail->sender_name, mail->sender);
	mailbox(out, "To", mail->recipient_name, mail->recipient);
	if (mail->reply_to != NULL)
		mailbox(out, "Reply-To", NULL, mail->reply_to);
	text_header(out, "Subject", mail->subject);
	write_date(out, mail->date);
	buf_printf(out, "Message-ID: %s\r\n", mail->message_id);
	buf_text(out, "Auto-Submitted: auto-generated\r\n");
	if (mail->language != NULL)
		buf_printf(out, "Content-Language: %s\r\n", mail->language);
	if (mail->unsubscribe != NULL)
		buf_printf(out, "List-Unsubscribe: <%s>\r\n"
				   "List-Unsubscribe-Post: List-Unsubscribe=One-Click\r\n",
				   mail->unsubscribe);
	buf_text(out, "MIME-Version: 1.0\r\n");
}

/* The same in plain text, in HTML and for the calendar. */
static void
write_parts(Buf *out, const Mail *mail)
{
	begin_part(out, alternative, "text/plain; charset=UTF-8");
	quoted_printable(out, mail->text);
	begin_part(out, alternative, "text/html; charset=UTF-8");
	write_html(out, mail);
	if (mail->calendar != NULL)
	{
		begin_part(out, alternative,
				   strcmp(mail->method, "CANCEL") == 0
				   ? "text/calendar; charset=UTF-8; method=CANCEL"
				   : "text/calendar; charset=UTF-8; method=REQUEST");
		quoted_printable(out, mail->calendar);
	}
	buf_printf(out, "--%s--\r\n", alternative);
}

/* A header with a name and an address. */
static void
mailbox(Buf *out, const char *header, const char *name, const char *address)
{
	if (name == NULL || name[0] == '\0')
	{
		buf_printf(out, "%s: %s\r\n", header, address);
		return;
	}
	buf_printf(out, "%s: ", header);
	if (is_plain(name))
		quoted(out, name);
	else
		encoded_words(out, name);
	buf_printf(out, "\r\n <%s>\r\n", address);
}

/* A header that is any text. */
static void
text_header(Buf *out, const char *header, const char *text)
{
	buf_printf(out, "%s: ", header);
	if (is_plain(text))
		buf_text(out, text);
	else
		encoded_words(out, text);
	buf_text(out, "\r\n");
}

/* Whether it is short, printable ASCII that no reader takes for encoded. */
static bool
is_plain(const char *text)
{
	const char *p;

	for (p = text; *p != '\0'; p++)
	{
		if (*p < ' ' || *p > '~')
			return false;
	}
	return p - text <= 60 && strstr(text, "=?") == NULL &&
		text[0] != ' ' && (p == text || p[-1] != ' ');
}

/* A quoted string. */
static void
quoted(Buf *out, const char *text)
{
	buf_char(out, '"');
	for (; *text != '\0'; text++)
	{
		if (*text == '"' || *text == '\\')
			buf_char(out, '\\');
		buf_char(out, *text);
	}
	buf_char(out, '"');
}

/*
 * Encoded words (RFC 2047), cut between characters, a line each.  A control
 * character becomes a blank: a reader that decodes it must not find one.
 */
static void
encoded_words(Buf *out, const char *text)
{
	Buf			clean = {0};
	const char *p;
	size_t		left;

	for (p = text; *p != '\0'; p++)
		buf_char(&clean, (unsigned char) *p < ' ' || *p == 0x7f ? ' ' : *p);
	p = buf_get(&clean);
	for (left = clean.len; left > 0;)
	{
		size_t		cut = left < WORD_MAX_OCTETS ? left : WORD_MAX_OCTETS;

		while (cut < left && cut > 1 && ((unsigned char) p[cut] & 0xc0) == 0x80)
			cut--;
		encoded_word(out, p, cut);
		p += cut;
		left -= cut;
		if (left > 0)
			buf_text(out, "\r\n ");
	}
	buf_free(&clean);
}

/* One of them. */
static void
encoded_word(Buf *out, const char *text, size_t len)
{
	unsigned char base64[WORD_MAX_OCTETS / 3 * 4 + 1];

	EVP_EncodeBlock(base64, (const unsigned char *) text, (int) len);
	buf_printf(out, "=?UTF-8?B?%s?=", (const char *) base64);
}

/* The Date header, in UTC; names of days and months are not the locale's. */
static void
write_date(Buf *out, time_t date)
{
	static const char days[7][4] = {
		"Sun", "Mon", "Tue", "Wed", "Thu", "Fri", "Sat"
	};
	static const char months[12][4] = {
		"Jan", "Feb", "Mar", "Apr", "May", "Jun",
		"Jul", "Aug", "Sep", "Oct", "Nov", "Dec"
	};
	struct tm	t;

	gmtime_r(&date, &t);
	buf_printf(out, "Date: %s, %02d %s %d %02d:%02d:%02d +0000\r\n",
			   days[t.tm_wday], t.tm_mday, months[t.tm_mon],
			   t.tm_year + 1900, t.tm_hour, t.tm_min, t.tm_sec);
}

/* A part's boundary and headers. */
static void
begin_part(Buf *out, const char *boundary, const char *type)
{
	buf_printf(out, "--%s\r\nContent-Type: %s\r\n"
			   "Content-Transfer-Encoding: quoted-printable\r\n\r\n",
			   boundary, type);
}

/*
 * The text in quoted-printable (RFC 2045, 6.7), with a line end at its end.
 * LF and CRLF are line ends; what else is no printable ASCII is encoded, and
 * so is a dot that begins a line.
 */
static void
quoted_printable(Buf *out, const char *text)
{
	size_t		column = 0;

	for (; *text != '\0'; text++)
	{
		unsigned char c = (unsigned char) *text;
		bool		last = text[1] == '\0' || text[1] == '\n' ||
			text[1] == '\r';
		bool		plain = (c > ' ' && c <= '~' && c != '=' &&
							 !(c == '.' && column == 0)) ||
			(c == ' ' && !last);

		if (c == '\n' || (c == '\r' && text[1] == '\n'))
		{
			if (c == '\r')
				text++;
			buf_text(out, "\r\n");
			column = 0;
			continue;
		}
		if (column + (plain ? 1 : 3) > LINE_MAX_CHARS - 1)
		{
			buf_text(out, "=\r\n");
			column = 0;
			plain = plain && c != '.';
		}
		if (plain)
			buf_char(out, *text);
		else
			buf_printf(out, "=%02X", c);
		column += plain ? 1 : 3;
	}
	if (column > 0)
		buf_text(out, "\r\n");
}

/* The text as a page that a reader can enlarge and read aloud. */
static void
write_html(Buf *out, const Mail *mail)
{
	Buf			page = {0};
	const char *p;

	buf_printf(&page, "<!DOCTYPE html>\n<html lang=\"%s\">\n"
			   "<meta charset=\"utf-8\">\n<body style=\"font-family: "
			   "sans-serif; line-height: 1.5\">\n<p>",
			   mail->language != NULL ? mail->language : "en");
	for (p = mail->text; *p != '\0'; p++)
	{
		size_t		url = url_length(p);

		if (url > 0)
		{
			buf_text(&page, "<a href=\"");
			html_text(&page, p, url);
			buf_text(&page, "\">");
			html_text(&page, p, url);
			buf_text(&page, "</a>");
			p += url - 1;
		}
		else if (*p == '\n' && p[1] == '\n')
		{
			buf_text(&page, "</p>\n<p>");
			p++;
		}
		else if (*p == '\n')
			buf_text(&page, p[1] == '\0' ? "\n" : "<br>\n");
		else
			html_text(&page, p, 1);
	}
	buf_text(&page, "</p>\n</body>\n</html>\n");
	quoted_printable(out, page.data);
	buf_free(&page);
}

/* As it stands in an element or in a quoted attribute. */
static void
html_text(Buf *page, const char *text, size_t len)
{
	size_t		i;

	for (i = 0; i < len; i++)
	{
		if (text[i] == '&')
			buf_text(page, "&amp;");
		else if (text[i] == '<')
			buf_text(page, "&lt;");
		else if (text[i] == '>')
			buf_text(page, "&gt;");
		else if (text[i] == '"')
			buf_text(page, "&quot;");
		else
			buf_char(page, text[i]);
	}
}

/* How long the address is that the text begins with, without the sentence's
 * full stop; 0: it begins with none. */
static size_t
url_length(const char *text)
{
	size_t		len = 0;

	if (strncmp(text, "https://", 8) != 0 && strncmp(text, "http://", 7) != 0)
		return 0;
	while (text[len] > ' ' && text[len] <= '~' &&
		   strchr("<>\"", text[len]) == NULL)
		len++;
	while (strchr(".,;:!?)", text[len - 1]) != NULL)
		len--;
	return len;
}
