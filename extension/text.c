/*
 * text.c
 *		The one rule for texts (docs/sql.md, "Texts"): what is kept is trimmed
 *		and in Unicode's normal form C, and an empty text is an absent one;
 *		what is compared is so without case, accents and signs.
 *
 * Trimmed is white space and what nobody sees.  Inside a text both stay: a
 * joiner makes another letter of its neighbours in Indian scripts, and keeps
 * its place after a virama at the end, too.  Vowel signs are marks to Unicode
 * and letters to a reader: of marks, comparison leaves out the accents of
 * Latin, Greek and Cyrillic alone.  The database is in UTF-8.
 */
#include "appt.h"

#include "access/htup_details.h"
#include "catalog/pg_collation.h"
#include "catalog/pg_type.h"
#include "common/unicode_norm.h"
#include "mb/pg_wchar.h"
#include "utils/array.h"
#include "utils/builtins.h"
#include "utils/formatting.h"
#include "utils/rel.h"

typedef struct CodeRange
{
	pg_wchar	first;
	pg_wchar	last;
} CodeRange;

typedef enum SignRule
{
	SIGNS_JOIN,					/* al-Rashid and Al Rashid are alrashid */
	SIGNS_PART					/* and al rashid */
} SignRule;

static const CodeRange blanks[] = {
	{0x09, 0x0D}, {0x20, 0x20}, {0x85, 0x85}, {0xA0, 0xA0},
	{0x1680, 0x1680}, {0x2000, 0x200A}, {0x2028, 0x2029}, {0x202F, 0x202F},
	{0x205F, 0x205F}, {0x3000, 0x3000}
};

/* Default_Ignorable_Code_Point, without what chooses a form of a letter. */
static const CodeRange invisibles[] = {
	{0xAD, 0xAD}, {0x34F, 0x34F}, {0x61C, 0x61C}, {0x115F, 0x1160},
	{0x17B4, 0x17B5}, {0x180E, 0x180E}, {0x200B, 0x200F}, {0x202A, 0x202E},
	{0x2060, 0x206F}, {0x3164, 0x3164}, {0xFEFF, 0xFEFF}, {0xFFA0, 0xFFA0},
	{0xFFF9, 0xFFFB}, {0xE0000, 0xE007F}
};

static const CodeRange joiners[] = {{0x200C, 0x200D}};

static const CodeRange viramas[] = {
	{0x94D, 0x94D}, {0x9CD, 0x9CD}, {0xA4D, 0xA4D}, {0xACD, 0xACD},
	{0xB4D, 0xB4D}, {0xBCD, 0xBCD}, {0xC4D, 0xC4D}, {0xCCD, 0xCCD},
	{0xD4D, 0xD4D}, {0xDCA, 0xDCA}
};

static const CodeRange accents[] = {{0x300, 0x36F}, {0x1DC4, 0x1DFF}};

/* Latin letters that are none with an accent, as they are typed without. */
static const struct
{
	pg_wchar	letter;
	const char *plain;
}			plain_letters[] = {
	{0xDF, "ss"}, {0xE6, "ae"}, {0xF0, "d"}, {0xF8, "o"}, {0xFE, "th"},
	{0x111, "d"}, {0x127, "h"}, {0x131, "i"}, {0x142, "l"}, {0x153, "oe"},
	{0x167, "t"}
};

/* Within a word: O'Brien is one. */
static const CodeRange apostrophes[] = {
	{0x27, 0x27}, {0x60, 0x60}, {0xB4, 0xB4}, {0x2B9, 0x2BF}, {0x55A, 0x55A},
	{0x5F3, 0x5F3}, {0x2018, 0x2019}, {0x201B, 0x201B}, {0x2032, 0x2032},
	{0xFF07, 0xFF07}
};

static const CodeRange signs[] = {
	{0x21, 0x2F}, {0x3A, 0x40}, {0x5B, 0x60}, {0x7B, 0x7E}, {0xA1, 0xA9},
	{0xAB, 0xB4}, {0xB6, 0xB9}, {0xBB, 0xBB}, {0xBF, 0xBF}, {0xD7, 0xD7},
	{0xF7, 0xF7}, {0x2B9, 0x2DF}, {0x55A, 0x55F}, {0x589, 0x58A},
	{0x5BE, 0x5BE}, {0x5C0, 0x5C0}, {0x5C3, 0x5C3}, {0x5F3, 0x5F4},
	{0x609, 0x60D}, {0x61B, 0x61F}, {0x66A, 0x66D}, {0x6D4, 0x6D4},
	{0x964, 0x965}, {0x970, 0x970}, {0xDF4, 0xDF4}, {0x2010, 0x2027},
	{0x2030, 0x205E}, {0x20A0, 0x20CF}, {0x2190, 0x2BFF}, {0x2E00, 0x2E7F},
	{0x3001, 0x3003}, {0x3008, 0x3020}, {0x30FB, 0x30FB}
};

#define IS_IN(ranges, c)	is_in(ranges, lengthof(ranges), c)

static pg_wchar *code_points(const char *text);
static char *text_of(const pg_wchar *codes, int n);
static int	count(const pg_wchar *codes);
static int	trimmed_end(const pg_wchar *codes, int start);
static bool is_in(const CodeRange *ranges, int n, pg_wchar c);
static bool is_ascii(const char *text);
static char *clean_ascii(const char *text);
static char *name_key(const char *name, SignRule rule);
static pg_wchar *in_plain_letters(const pg_wchar *codes);
static int	without(pg_wchar *codes, const CodeRange *ranges, int n);
static Datum clean_value(Datum value, bool *isnull);
static Datum clean_list(Datum list);
static bool is_among(const Datum *items, int n, Datum item);

PG_FUNCTION_INFO_V1(appt_clean_text_sql);
PG_FUNCTION_INFO_V1(appt_name_key);
PG_FUNCTION_INFO_V1(appt_name_words);
PG_FUNCTION_INFO_V1(appt_clean_texts);

/* The text as it is kept; NULL where nothing is left of it. */
char *
appt_clean_text(const char *text)
{
	pg_wchar   *codes;
	int			start = 0;
	int			end;

	if (is_ascii(text))
		return clean_ascii(text);
	codes = unicode_normalize(UNICODE_NFC, code_points(text));
	while (IS_IN(blanks, codes[start]) || IS_IN(invisibles, codes[start]))
		start++;
	end = trimmed_end(codes, start);
	return end == start ? NULL : text_of(codes + start, end - start);
}

Datum
appt_clean_text_sql(PG_FUNCTION_ARGS)
{
	char	   *clean = appt_clean_text(text_to_cstring(PG_GETARG_TEXT_PP(0)));

	if (clean == NULL)
		PG_RETURN_NULL();
	PG_RETURN_TEXT_P(cstring_to_text(clean));
}

Datum
appt_name_key(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(name_key(name, SIGNS_JOIN)));
}

Datum
appt_name_words(PG_FUNCTION_ARGS)
{
	char	   *name = text_to_cstring(PG_GETARG_TEXT_PP(0));

	PG_RETURN_TEXT_P(cstring_to_text(name_key(name, SIGNS_PART)));
}

/* Cleans every text and list of texts of a row before it is stored. */
Datum
appt_clean_texts(PG_FUNCTION_ARGS)
{
	static const TriggerUse use = {
		"appt_internal.clean_texts",
		TRIGGER_EVENT_ROW | TRIGGER_EVENT_BEFORE, true, NULL
	};
	TriggerData *trigger = appt_trigger(fcinfo, &use);
	HeapTuple	row = TRIGGER_FIRED_BY_UPDATE(trigger->tg_event)
		? trigger->tg_newtuple : trigger->tg_trigtuple;
	TupleDesc	desc = RelationGetDescr(trigger->tg_relation);
	Datum	   *values = palloc_array(Datum, desc->natts);
	bool	   *nulls = palloc_array(bool, desc->natts);
	bool	   *replaced = palloc0_array(bool, desc->natts);
	bool		changed = false;

	heap_deform_tuple(row, desc, values, nulls);
	for (int i = 0; i < desc->natts; i++)
	{
		Form_pg_attribute column = TupleDescAttr(desc, i);
		Datum		before = values[i];

		if (nulls[i] || column->attisdropped || column->attgenerated != '\0')
			continue;
		if (column->atttypid == TEXTOID)
			values[i] = clean_value(before, &nulls[i]);
		else if (column->atttypid == TEXTARRAYOID)
			values[i] = clean_list(before);
		replaced[i] = nulls[i] || values[i] != before;
		changed |= replaced[i];
	}
	return PointerGetDatum(!changed ? row
						   : heap_modify_tuple(row, desc, values, nulls,
											   replaced));
}

/* The value itself where it is clean already. */
static Datum
clean_value(Datum value, bool *isnull)
{
	char	   *before = TextDatumGetCString(value);
	char	   *after = appt_clean_text(before);

	*isnull = after == NULL;
	if (after != NULL && strcmp(before, after) == 0)
		return value;
	return *isnull ? (Datum) 0 : CStringGetTextDatum(after);
}

/* The list's texts cleaned, each once; the list itself if it is so already. */
static Datum
clean_list(Datum list)
{
	ArrayType  *array = DatumGetArrayTypeP(list);
	Datum	   *items;
	bool	   *nulls;
	bool		changed = false;
	int			n;
	int			kept = 0;

	if (ARR_NDIM(array) != 1 || array_contains_nulls(array))
		return list;
	deconstruct_array(array, TEXTOID, -1, false, TYPALIGN_INT, &items, &nulls,
					  &n);
	for (int i = 0; i < n; i++)
	{
		bool		isnull;
		Datum		item = clean_value(items[i], &isnull);

		changed |= item != items[i];
		if (!isnull && !is_among(items, kept, item))
			items[kept++] = item;
	}
	return kept == n && !changed ? list
		: PointerGetDatum(construct_array(items, kept, TEXTOID, -1, false,
										  TYPALIGN_INT));
}

static bool
is_among(const Datum *items, int n, Datum item)
{
	const char *wanted = TextDatumGetCString(item);

	for (int i = 0; i < n; i++)
	{
		if (strcmp(TextDatumGetCString(items[i]), wanted) == 0)
			return true;
	}
	return false;
}

/*
 * What names are compared by.  Apostrophes go first, as some of them come
 * apart into a blank and an accent.
 */
static char *
name_key(const char *name, SignRule rule)
{
	char	   *lower = str_tolower(name, strlen(name), DEFAULT_COLLATION_OID);
	pg_wchar   *codes;
	int			n = 0;

	codes = code_points(lower);
	without(codes, apostrophes, lengthof(apostrophes));
	without(codes, invisibles, lengthof(invisibles));
	codes = unicode_normalize(UNICODE_NFKD, codes);
	without(codes, accents, lengthof(accents));
	codes = in_plain_letters(codes);
	for (int i = 0; codes[i] != 0; i++)
	{
		if (!IS_IN(signs, codes[i]) && !IS_IN(blanks, codes[i]))
			codes[n++] = codes[i];
		else if (rule == SIGNS_PART && n > 0 && codes[n - 1] != ' ')
			codes[n++] = ' ';
	}
	while (n > 0 && codes[n - 1] == ' ')
		n--;
	codes[n] = 0;
	codes = unicode_normalize(UNICODE_NFC, codes);
	return text_of(codes, count(codes));
}

/* Straße is strasse, Łukasz lukasz. */
static pg_wchar *
in_plain_letters(const pg_wchar *codes)
{
	pg_wchar   *plain = palloc_array(pg_wchar, 2 * count(codes) + 1);
	int			n = 0;

	for (int i = 0; codes[i] != 0; i++)
	{
		const char *letters = NULL;

		for (int j = 0; j < lengthof(plain_letters); j++)
		{
			if (plain_letters[j].letter == codes[i])
				letters = plain_letters[j].plain;
		}
		if (letters == NULL)
			plain[n++] = codes[i];
		else
			while (*letters != '\0')
				plain[n++] = (unsigned char) *letters++;
	}
	plain[n] = 0;
	return plain;
}

/* Takes what is in the ranges out of a string; its new length. */
static int
without(pg_wchar *codes, const CodeRange *ranges, int n)
{
	int			kept = 0;

	for (int i = 0; codes[i] != 0; i++)
	{
		if (!is_in(ranges, n, codes[i]))
			codes[kept++] = codes[i];
	}
	codes[kept] = 0;
	return kept;
}

/* Where the text ends; a joiner after a virama belongs to it. */
static int
trimmed_end(const pg_wchar *codes, int start)
{
	int			end = start + count(codes + start);

	while (end > start &&
		   (IS_IN(blanks, codes[end - 1]) || IS_IN(invisibles, codes[end - 1])))
	{
		if (end - 1 > start && IS_IN(joiners, codes[end - 1]) &&
			IS_IN(viramas, codes[end - 2]))
			break;
		end--;
	}
	return end;
}

static bool
is_ascii(const char *text)
{
	while (*text != '\0' && !IS_HIGHBIT_SET(*text))
		text++;
	return *text == '\0';
}

/* Trims the blanks of ASCII, which is all there is in most texts. */
static char *
clean_ascii(const char *text)
{
	static const char white[] = " \t\n\v\f\r";
	size_t		len;

	text += strspn(text, white);
	len = strlen(text);
	while (len > 0 && strchr(white, text[len - 1]) != NULL)
		len--;
	return len == 0 ? NULL : pnstrdup(text, len);
}

/* A UTF-8 text's code points, up to a zero. */
static pg_wchar *
code_points(const char *text)
{
	pg_wchar   *codes = palloc_array(pg_wchar, strlen(text) + 1);
	int			n = 0;

	for (const unsigned char *p = (const unsigned char *) text; *p != '\0';
		 p += pg_utf_mblen(p))
		codes[n++] = utf8_to_unicode(p);
	codes[n] = 0;
	return codes;
}

static char *
text_of(const pg_wchar *codes, int n)
{
	unsigned char *text = palloc(n * 4 + 1);
	unsigned char *p = text;

	for (int i = 0; i < n; i++)
	{
		unicode_to_utf8(codes[i], p);
		p += pg_utf_mblen(p);
	}
	*p = '\0';
	return (char *) text;
}

static int
count(const pg_wchar *codes)
{
	int			n = 0;

	while (codes[n] != 0)
		n++;
	return n;
}

static bool
is_in(const CodeRange *ranges, int n, pg_wchar c)
{
	for (int i = 0; i < n && ranges[i].first <= c; i++)
	{
		if (c <= ranges[i].last)
			return true;
	}
	return false;
}
