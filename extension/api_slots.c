/*
 * api_slots.c
 *		Entry points that look for slots and write nothing.
 */
#include "api.h"

#include "access/htup_details.h"
#include "catalog/pg_type.h"
#include "funcapi.h"
#include "utils/array.h"
#include "utils/builtins.h"

/* Room for a slot with its comma. */
#define MAX_SLOT_LENGTH \
	(2 * MAX_TIME_LENGTH + \
	 sizeof(",{'start_time':'','end_time':'','remaining':-2147483648}"))

/* Writes a literal without its end mark. */
#define PUT(p, literal) \
	(memcpy(p, literal, sizeof(literal) - 1), (p) += sizeof(literal) - 1)

/* A JSON array while it is written, as text of the caller's. */
typedef struct JsonList
{
	char	   *text;
	Size		length;
	Size		size;
} JsonList;

static Datum call_available_slots(void *arg);
static Datum call_slots_json(void *arg);
static void put_day_json(const Place *place, const SlotList *slots,
						 void *context);
static char *room_for(JsonList *list, Size bytes);
static text *finish_json(JsonList *list);
static char *put_slot_json(char *p, const Slot *slot, pg_tz *zone);
static Datum call_explain_slot(void *arg);
static Datum call_explain_slot_json(void *arg);
static char *explanation_json(const Placement *placement, SlotVerdict verdict,
							  const char *sentence);
static Datum call_explain_day_json(void *arg);
static void put_explained_json(const Place *place, const SlotList *slots,
							   void *context);
static Datum call_first_available(void *arg);
static Datum call_first_slot_json(void *arg);
static bool find_first(FunctionCallInfo fcinfo, const char *doctor_field,
					   OfferedSlot *found);
static char *first_slot_json(const OfferedSlot *found);
static void put_slot(ReturnSetInfo *result, const OfferedSlot *offered);
static void take_doctors(SearchQuery *query, FunctionCallInfo fcinfo);
static Datum form_found(FunctionCallInfo fcinfo, const OfferedSlot *found);

PG_FUNCTION_INFO_V1(appt_available_slots);
PG_FUNCTION_INFO_V1(appt_api_slots);
PG_FUNCTION_INFO_V1(appt_explain_slot);
PG_FUNCTION_INFO_V1(appt_first_available);
PG_FUNCTION_INFO_V1(appt_api_explain_slot);
PG_FUNCTION_INFO_V1(appt_api_explain_day);
PG_FUNCTION_INFO_V1(appt_first_slot_json);

Datum
appt_available_slots(PG_FUNCTION_ARGS)
{
	InitMaterializedSRF(fcinfo, 0);
	return appt_with_spi(call_available_slots, fcinfo);
}

Datum
appt_api_slots(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_slots_json, fcinfo);
}

Datum
appt_explain_slot(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_explain_slot, fcinfo);
}

Datum
appt_first_available(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_first_available, fcinfo);
}

Datum
appt_api_explain_slot(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_explain_slot_json, fcinfo);
}

Datum
appt_api_explain_day(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_explain_day_json, fcinfo);
}

Datum
appt_first_slot_json(PG_FUNCTION_ARGS)
{
	return appt_with_spi(call_first_slot_json, fcinfo);
}

static Datum
call_available_slots(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	SlotQuery	query = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.branch_id = api_text(fcinfo, 2),
		.duration_min = api_optional_int(fcinfo, 3),
		.visit_type = api_text(fcinfo, 5),
		.every_branch = true
	};
	OfferedSlot *slots;
	int			n;

	appt_require(!PG_ARGISNULL(1), "on_date");
	query.from_date = PG_GETARG_DATEADT(1);
	query.to_date = PG_ARGISNULL(4) ? query.from_date : PG_GETARG_DATEADT(4);
	schedule_refresh();
	n = availability_list(&query, &slots);
	for (int i = 0; i < n; i++)
		put_slot((ReturnSetInfo *) fcinfo->resultinfo, &slots[i]);
	return (Datum) 0;
}

static void
put_slot(ReturnSetInfo *result, const OfferedSlot *offered)
{
	Datum		values[] = {
		TimestampTzGetDatum(offered->slot.start),
		TimestampTzGetDatum(offered->slot.end),
		Int32GetDatum(offered->slot.remaining),
		CStringGetTextDatum(offered->branch->branch_id)
	};
	bool		nulls[lengthof(values)] = {0};

	tuplestore_putvalues(result->setResult, result->setDesc, values, nulls);
}

static Datum
call_slots_json(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller;
	SlotQuery	query = {
		.doctor_id = api_text(fcinfo, 0),
		.branch_id = api_text(fcinfo, 2),
		.duration_min = api_optional_int(fcinfo, 3),
		.visit_type = api_text(fcinfo, 6)
	};
	JsonList	list = {.length = VARHDRSZ, .size = VARHDRSZ};

	schedule_refresh();
	caller = caller_of_client(api_exact_text(fcinfo, 5));
	query.caller = &caller;
	appt_require(!PG_ARGISNULL(1), "date");
	query.from_date = PG_GETARG_DATEADT(1);
	query.to_date = PG_ARGISNULL(4) ? query.from_date : PG_GETARG_DATEADT(4);
	list.text = SPI_palloc(list.size);
	availability_each(&query, put_day_json, &list);
	return PointerGetDatum(finish_json(&list));
}

/* A SlotReceiver. */
static void
put_day_json(const Place *place, const SlotList *slots, void *context)
{
	JsonList   *list = context;
	pg_tz	   *zone = place->branch->zone;
	char	   *p = room_for(list, slots->nitems * MAX_SLOT_LENGTH);

	for (int i = 0; i < slots->nitems; i++)
		p = put_slot_json(p, &slots->items[i], zone);
	list->length = p - list->text;
}

/* Where so many bytes can be added; the list grows by doubling. */
static char *
room_for(JsonList *list, Size bytes)
{
	Size		needed = list->length + bytes + sizeof("[]");

	if (needed > list->size)
	{
		list->size = Max(needed, 2 * list->size);
		list->text = SPI_repalloc(list->text, list->size);
	}
	return list->text + list->length;
}

/* The list's first comma becomes its bracket. */
static text *
finish_json(JsonList *list)
{
	char	   *p = room_for(list, 0);

	if (list->length == VARHDRSZ)
		*p++ = '[';
	else
		list->text[VARHDRSZ] = '[';
	*p++ = ']';
	SET_VARSIZE(list->text, p - list->text);
	return (text *) list->text;
}

/* A comma and {start_time, end_time}, with capacity also remaining. */
static char *
put_slot_json(char *p, const Slot *slot, pg_tz *zone)
{
	PUT(p, ",{\"start_time\":\"");
	p = appt_put_time(p, slot->start, zone);
	PUT(p, "\",\"end_time\":\"");
	p = appt_put_time(p, slot->end, zone);
	PUT(p, "\"");
	if (slot->capacity > 1)
	{
		PUT(p, ",\"remaining\":");
		p += pg_ltoa(slot->remaining, p);
	}
	PUT(p, "}");
	return p;
}

static Datum
call_explain_slot(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller = caller_of_session();
	PlacementRequest request = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.slot_end = api_time(fcinfo, 2),
		.branch_id = api_text(fcinfo, 3),
		.visit_type = api_text(fcinfo, 4)
	};
	Placement	placement = {0};
	SlotVerdict verdict;
	char	   *sentence;

	schedule_refresh();
	sentence = placement_explain(&placement, &request, &verdict);
	return SPI_datumTransfer(CStringGetTextDatum(sentence), false, -1);
}

static Datum
call_explain_slot_json(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller;
	PlacementRequest request = {
		.caller = &caller,
		.doctor_id = api_text(fcinfo, 0),
		.slot_start = api_time(fcinfo, 1),
		.slot_end = api_time(fcinfo, 2),
		.branch_id = api_text(fcinfo, 3),
		.visit_type = api_text(fcinfo, 4),
		.addressed = true
	};
	Placement	placement = {0};
	SlotVerdict verdict;
	char	   *sentence;

	schedule_refresh();
	caller = api_caller(fcinfo, 5);
	sentence = placement_explain(&placement, &request, &verdict);
	return SPI_datumTransfer(CStringGetTextDatum(
		explanation_json(&placement, verdict, sentence)), false, -1);
}

static char *
explanation_json(const Placement *placement, SlotVerdict verdict,
				 const char *sentence)
{
	bool		is_free = verdict == SLOT_FREE;
	pg_tz	   *zone = placement->place.branch->zone;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoChar(&out, '{');
	appt_json_text(&out, "doctor_id", placement->place.doctor->doctor_id);
	appt_json_text(&out, "branch_id", placement->place.branch->branch_id);
	appt_json_time(&out, "slot_start", placement->slot_start, zone);
	appt_json_time(&out, "slot_end", placement->slot_end, zone);
	appt_json_bool(&out, "free", is_free);
	appt_json_text(&out, "reason", refusal_reason(verdict));
	appt_json_text(&out, "detail", is_free ? NULL : sentence);
	appendStringInfoChar(&out, '}');
	return out.data;
}

/* The points of the grid from one date to another, free or not. */
static Datum
call_explain_day_json(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	Caller		caller;
	SlotQuery	query = {
		.doctor_id = api_text(fcinfo, 0),
		.branch_id = api_text(fcinfo, 2),
		.visit_type = api_text(fcinfo, 4),
		.explain = true
	};
	StringInfoData out;

	schedule_refresh();
	caller = api_caller(fcinfo, 5);
	query.caller = &caller;
	appt_require(!PG_ARGISNULL(1), "date");
	query.from_date = PG_GETARG_DATEADT(1);
	query.to_date = PG_ARGISNULL(3) ? query.from_date : PG_GETARG_DATEADT(3);
	initStringInfo(&out);
	availability_each(&query, put_explained_json, &out);
	if (out.len == 0)
		appendStringInfoChar(&out, '[');
	else
		out.data[0] = '[';
	appendStringInfoChar(&out, ']');
	return SPI_datumTransfer(CStringGetTextDatum(out.data), false, -1);
}

/* A SlotReceiver; each slot begins with a comma. */
static void
put_explained_json(const Place *place, const SlotList *slots, void *context)
{
	StringInfo	out = context;
	pg_tz	   *zone = place->branch->zone;

	for (int i = 0; i < slots->nitems; i++)
	{
		const Slot *slot = &slots->items[i];
		bool		is_free = slot->verdict == SLOT_FREE;

		appendStringInfoString(out, ",{");
		appt_json_time(out, "start_time", slot->start, zone);
		appt_json_time(out, "end_time", slot->end, zone);
		appt_json_bool(out, "free", is_free);
		appt_json_text(out, "reason", refusal_reason(slot->verdict));
		appt_json_text(out, "detail", is_free ? NULL :
					   refusal_sentence(slot->verdict, place, slot->start));
		appendStringInfoChar(out, '}');
	}
}

static Datum
call_first_available(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	OfferedSlot found;

	if (!find_first(fcinfo, "doctor_ids", &found))
	{
		fcinfo->isnull = true;
		return (Datum) 0;
	}
	return form_found(fcinfo, &found);
}

/* An array with the slot, empty where there is none. */
static Datum
call_first_slot_json(void *arg)
{
	FunctionCallInfo fcinfo = arg;
	OfferedSlot found;
	char	   *json = "[]";

	if (find_first(fcinfo, "doctor_id", &found))
		json = first_slot_json(&found);
	return SPI_datumTransfer(CStringGetTextDatum(json), false, -1);
}

static char *
first_slot_json(const OfferedSlot *found)
{
	pg_tz	   *zone = found->branch->zone;
	StringInfoData out;

	initStringInfo(&out);
	appendStringInfoString(&out, "[{");
	appt_json_text(&out, "doctor_id", found->doctor->doctor_id);
	appt_json_text(&out, "branch_id", found->branch->branch_id);
	appt_json_time(&out, "start_time", found->slot.start, zone);
	appt_json_time(&out, "end_time", found->slot.end, zone);
	appendStringInfoString(&out, "}]");
	return out.data;
}

static bool
find_first(FunctionCallInfo fcinfo, const char *doctor_field,
		   OfferedSlot *found)
{
	Caller		caller;
	SearchQuery query = {
		.caller = &caller,
		.doctor_field = doctor_field,
		.from = PG_ARGISNULL(1) ? appt_now() : PG_GETARG_TIMESTAMPTZ(1),
		.branch_id = api_text(fcinfo, 3),
		.duration_min = api_optional_int(fcinfo, 4),
		.visit_type = api_text(fcinfo, 5),
		.access = APPT_READ
	};

	schedule_refresh();
	caller = api_caller(fcinfo, 7);
	take_doctors(&query, fcinfo);
	return search_first(&query, found);
}

/* The doctors named, or those of the specialty and the department. */
static void
take_doctors(SearchQuery *query, FunctionCallInfo fcinfo)
{
	Datum	   *items;

	if (PG_ARGISNULL(0))
	{
		appt_require(!PG_ARGISNULL(2) || !PG_ARGISNULL(6),
					 psprintf("%s, specialty or department_id",
							  query->doctor_field));
		search_doctors(query, api_text(fcinfo, 2), api_text(fcinfo, 6));
		return;
	}
	if (array_contains_nulls(PG_GETARG_ARRAYTYPE_P(0)))
		ereport(ERROR,
				(APPT_ERRCODE(INVALID_REQUEST),
				 errmsg("doctor_ids must not contain NULL"),
				 appt_errfield(query->doctor_field)));
	deconstruct_array_builtin(PG_GETARG_ARRAYTYPE_P(0), TEXTOID, &items,
							  NULL, &query->ndoctors);
	query->doctor_ids = palloc_array(const char *, query->ndoctors + 1);
	for (int i = 0; i < query->ndoctors; i++)
		query->doctor_ids[i] = TextDatumGetCString(items[i]);
}

static Datum
form_found(FunctionCallInfo fcinfo, const OfferedSlot *found)
{
	TupleDesc	desc;
	Datum		values[] = {
		CStringGetTextDatum(found->doctor->doctor_id),
		CStringGetTextDatum(found->branch->branch_id),
		TimestampTzGetDatum(found->slot.start),
		TimestampTzGetDatum(found->slot.end)
	};
	bool		nulls[lengthof(values)] = {0};

	if (get_call_result_type(fcinfo, NULL, &desc) != TYPEFUNC_COMPOSITE)
		elog(ERROR, "return type must be a row type");
	desc = BlessTupleDesc(desc);
	return PointerGetDatum(
		SPI_returntuple(heap_form_tuple(desc, values, nulls), desc));
}
