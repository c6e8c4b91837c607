/*
 * compat.h
 *		What differs between PostgreSQL 15 and 18, and between the minor
 *		versions of each, under one name.
 *
 * A library built with the newest minor version loads into the earlier ones:
 * nothing that these lack is called without asking whether it is there
 * (t/006_build.t).
 */
#ifndef APPT_COMPAT_H
#define APPT_COMPAT_H

#if PG_VERSION_NUM < 150000
#error "bioecko_appt needs PostgreSQL 15 or later"
#endif

/*
 * What the server looks up in the library.  All else is hidden (the Makefile's
 * -fvisibility=hidden), which 16 and later do by themselves: two extensions
 * may have a function of one name.
 */
#if PG_VERSION_NUM < 160000
#undef PGDLLEXPORT
#define PGDLLEXPORT __attribute__((visibility("default")))

#undef PG_FUNCTION_INFO_V1
#define PG_FUNCTION_INFO_V1(name) \
	extern PGDLLEXPORT Datum name(PG_FUNCTION_ARGS); \
	extern PGDLLEXPORT const Pg_finfo_record * \
	CppConcat(pg_finfo_, name) (void); \
	const Pg_finfo_record * \
	CppConcat(pg_finfo_, name) (void) \
	{ \
		static const Pg_finfo_record info = {1}; \
		return &info; \
	} \
	extern int	no_such_variable
#endif

/* In front of a declaration, where C23 and PostgreSQL 18 want it. */
#ifndef pg_noreturn
#define pg_noreturn pg_attribute_noreturn()
#endif

/*
 * PostgreSQL's own macros call palloc_mul() where there is one, which earlier
 * minor versions lack.  A count is an int here, so that the product fits
 * a Size of 64 bits, and palloc() refuses what is too large.
 */
#undef palloc_array
#undef palloc0_array
#undef repalloc_array
#define palloc_array(type, count) \
	((type *) palloc(sizeof(type) * (Size) (count)))
#define palloc0_array(type, count) \
	((type *) palloc0(sizeof(type) * (Size) (count)))
#define repalloc_array(pointer, type, count) \
	((type *) repalloc(pointer, sizeof(type) * (Size) (count)))

/* Without the instrumentation that PostgreSQL 18 asks for. */
#if PG_VERSION_NUM >= 180000
#define index_beginscan_compat(table, index, snapshot, nkeys) \
	index_beginscan(table, index, snapshot, NULL, nkeys, 0)
#else
#define index_beginscan_compat(table, index, snapshot, nkeys) \
	index_beginscan(table, index, snapshot, nkeys, 0)
#endif

/* What a parser of JSON begins with, and what a scalar's callback returns. */
#if PG_VERSION_NUM >= 170000
#define json_lex_compat(json, len, encoding) \
	makeJsonLexContextCstringLen(NULL, json, len, encoding, true)
#else
#define json_lex_compat(json, len, encoding) \
	makeJsonLexContextCstringLen(json, len, encoding, true)
#endif
#if PG_VERSION_NUM >= 160000
#define json_scalar_result JsonParseErrorType
#define JSON_SCALAR_TAKEN JSON_SUCCESS
#else
#define json_scalar_result void
#define JSON_SCALAR_TAKEN
#endif

/*
 * The row in a composite Datum.  A function since minor versions of the same
 * age, which brings rows of an earlier definition of the type up to date; a
 * server that lacks it makes no such rows.
 */
#ifndef DatumGetHeapTupleHeader
#pragma weak DatumGetHeapTupleHeader
#define DatumGetRow(datum) \
	(DatumGetHeapTupleHeader != NULL ? DatumGetHeapTupleHeader(datum) : \
	 (HeapTupleHeader) PG_DETOAST_DATUM(datum))
#else
#define DatumGetRow(datum) DatumGetHeapTupleHeader(datum)
#endif

#endif							/* APPT_COMPAT_H */
