/*
 * appt_errors.h
 *		THE error table: every condition that bioecko_appt itself raises.
 *
 * A row is (name, SQLSTATE, HTTP status, code, reason).  The extension expands
 * it to ERRCODE_APPT_<name>; the gateway expands it to its map from SQLSTATE to
 * an RFC 9457 problem; docs/rest.md prints it.  A new condition is one row here
 * and one test.
 *
 * The class SB ("scheduling and booking") is in the range that the SQL
 * standard leaves to implementations.  The third character groups by HTTP
 * status: 0 = 400, T = 401, F = 403, 4 = 404, 9 = 409, P = 412, U = 422,
 * 5 = 503.  "reason" is the machine-readable member beside slot_unavailable
 * (docs/rest.md, Errors).
 *
 * No PostgreSQL header here: the gateway includes this file too.
 */
#ifndef APPT_ERRORS_H
#define APPT_ERRORS_H

#define APPT_ERROR_TABLE(X) \
	X(INVALID_REQUEST,         "SB001", 400, "invalid_request",         "") \
	X(BRANCH_REQUIRED,         "SB002", 400, "branch_required",         "") \
	X(IDEMPOTENCY_KEY_INVALID, "SB003", 400, "idempotency_key_invalid", "") \
	X(UNKNOWN_CLIENT,          "SBT01", 401, "invalid_token",           "") \
	X(BRANCH_LIMITED,          "SBF01", 403, "insufficient_scope",      "") \
	X(NOT_FOUND,               "SB404", 404, "not_found",               "") \
	X(SLOT_TAKEN,              "SB901", 409, "slot_unavailable", "taken") \
	X(SLOT_HELD,               "SB902", 409, "slot_unavailable", "held") \
	X(SLOT_OUTSIDE_HOURS,      "SB903", 409, "slot_unavailable", "outside_hours") \
	X(SLOT_OFF_GRID,           "SB904", 409, "slot_unavailable", "off_grid") \
	X(SLOT_ON_LEAVE,           "SB905", 409, "slot_unavailable", "on_leave") \
	X(SLOT_CLOSED,             "SB906", 409, "slot_unavailable", "closed") \
	X(SLOT_IN_PAST,            "SB907", 409, "slot_unavailable", "in_past") \
	X(SLOT_LEAD_TIME,          "SB908", 409, "slot_unavailable", "lead_time") \
	X(SLOT_BEYOND_HORIZON,     "SB909", 409, "slot_unavailable", "beyond_horizon") \
	X(SLOT_DAILY_LIMIT,        "SB910", 409, "slot_unavailable", "daily_limit") \
	X(PATIENT_CONFLICT,        "SB920", 409, "patient_conflict",        "") \
	X(INVALID_TRANSITION,      "SB930", 409, "invalid_transition",      "") \
	X(CANCELLATION_WINDOW,     "SB931", 409, "cancellation_window",     "") \
	X(RESCHEDULE_WINDOW,       "SB932", 409, "reschedule_window",       "") \
	X(QUEUE_EMPTY,             "SB933", 409, "queue_empty",             "") \
	X(HOLD_EXPIRED,            "SB940", 409, "hold_expired",            "") \
	X(REQUEST_IN_PROGRESS,     "SB950", 409, "request_in_progress",     "") \
	X(ALREADY_EXISTS,          "SB960", 409, "already_exists",          "") \
	X(IN_USE,                  "SB961", 409, "in_use",                  "") \
	X(AFFECTS_APPOINTMENTS,    "SB962", 409, "affects_appointments",    "") \
	X(LIMIT_REACHED,           "SB963", 409, "limit_reached",           "") \
	X(AFFECTS_SESSIONS,        "SB964", 409, "affects_sessions",        "") \
	X(VERSION_MISMATCH,        "SBP01", 412, "version_mismatch",        "") \
	X(UNKNOWN_REFERENCE,       "SBU01", 422, "unknown_reference",       "") \
	X(IDEMPOTENCY_KEY_REUSED,  "SBU02", 422, "idempotency_key_reused",  "") \
	X(TIME_ZONE_UNKNOWN,       "SB503", 503, "unavailable",             "")

#endif							/* APPT_ERRORS_H */
