/*
 * routes_admin.c
 *		The rows of THE route table for patients and configuration.
 *
 *		POST and PATCH take the body as a whole: the database tells what is not
 *		there from what is null, and null goes back to the default.
 */
#include "http/routerow.h"

#define READ_P SCOPE_PATIENTS_READ
#define WRITE_P SCOPE_PATIENTS_WRITE
#define READ_S SCOPE_SCHEDULE_READ
#define MANAGE SCOPE_SCHEDULE_MANAGE

#define PATIENT "/patients/{patient_id}"
#define BRANCH "/branches/{branch_id}"
#define DOCTOR "/doctors/{doctor_id}"
#define VISIT_TYPE "/visit-types/{visit_type}"
#define HOURS DOCTOR "/working-hours"
#define SESSIONS DOCTOR "/extra-sessions"
#define TIME_OFF DOCTOR "/time-off"
#define CLOSURES BRANCH "/closures"
#define SETTING "/settings/{name}"
#define TEMPLATES "/notification-templates"
#define TEMPLATE TEMPLATES "/{notification_template_id}"

/* --- patients ---------------------------------------------------------- */

#define PATIENT_MEMBERS(rule) \
	MEMBER("first_name", KIND_ID, rule), \
	MEMBER("last_name", KIND_TEXT, OPTIONAL), \
	MEMBER("date_of_birth", KIND_DATE, OPTIONAL), \
	MEMBER("gender", KIND_ID, OPTIONAL), \
	MEMBER("phone", KIND_ID, OPTIONAL), \
	MEMBER("email", KIND_ID, OPTIONAL), \
	MEMBER("address", KIND_TEXT, OPTIONAL), \
	MEMBER("blood_group", KIND_ID, OPTIONAL), \
	MEMBER("abha_id", KIND_ID, OPTIONAL), \
	MEMBER("language", KIND_ID, OPTIONAL), \
	MEMBER("branch_id", KIND_ID, OPTIONAL), \
	MEMBER("active", KIND_BOOL, NOT_NULL)

static const Arg list_patients_args[] = {
	QUERY("search", KIND_TEXT, OPTIONAL),
	QUERY("branch_id", KIND_ID, OPTIONAL),
	QUERY("registered_after", KIND_DATE, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_patient_args[] = {
	FIELDS,
	PATIENT_MEMBERS(REQUIRED),
	CONTEXT,
};

static const Arg get_patient_args[] = {
	PATH("patient_id"),
	CLIENT,
};

static const Arg update_patient_args[] = {
	PATH("patient_id"),
	CHANGES,
	PATIENT_MEMBERS(NOT_NULL),
	IF_MATCH,
	CONTEXT,
};

/* --- branches ---------------------------------------------------------- */

#define BRANCH_MEMBERS(rule) \
	MEMBER("name", KIND_ID, rule), \
	MEMBER("time_zone", KIND_ID, rule), \
	MEMBER("address", KIND_TEXT, OPTIONAL), \
	MEMBER("phone", KIND_TEXT, OPTIONAL), \
	MEMBER("slot_min", KIND_INT, OPTIONAL), \
	MEMBER("active", KIND_BOOL, NOT_NULL)

static const Arg list_active_args[] = {
	QUERY("active", KIND_BOOL, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_branch_args[] = {
	FIELDS,
	MEMBER("branch_id", KIND_ID, REQUIRED),
	BRANCH_MEMBERS(REQUIRED),
	CONTEXT,
};

static const Arg get_branch_args[] = {
	PATH("branch_id"),
	CLIENT,
};

static const Arg update_branch_args[] = {
	PATH("branch_id"),
	CHANGES,
	BRANCH_MEMBERS(NOT_NULL),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_branch_args[] = {
	PATH("branch_id"),
	IF_MATCH,
	CLIENT,
};

/* --- doctors ----------------------------------------------------------- */

#define DOCTOR_MEMBERS(rule) \
	MEMBER("name", KIND_ID, rule), \
	MEMBER("specialty", KIND_TEXT, OPTIONAL), \
	MEMBER("slot_min", KIND_INT, OPTIONAL), \
	MEMBER("buffer_before_min", KIND_INT, OPTIONAL), \
	MEMBER("buffer_after_min", KIND_INT, OPTIONAL), \
	MEMBER("active", KIND_BOOL, NOT_NULL)

static const Arg list_doctors_args[] = {
	QUERY("branch_id", KIND_ID, OPTIONAL),
	QUERY("specialty", KIND_TEXT, OPTIONAL),
	QUERY("active", KIND_BOOL, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_doctor_args[] = {
	FIELDS,
	MEMBER("doctor_id", KIND_ID, REQUIRED),
	DOCTOR_MEMBERS(REQUIRED),
	CONTEXT,
};

static const Arg get_doctor_args[] = {
	PATH("doctor_id"),
	CLIENT,
};

static const Arg update_doctor_args[] = {
	PATH("doctor_id"),
	CHANGES,
	DOCTOR_MEMBERS(NOT_NULL),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_doctor_args[] = {
	PATH("doctor_id"),
	IF_MATCH,
	CLIENT,
};

/* --- a doctor's sessions ------------------------------------------------ */

#define SESSION_MEMBERS(rule) \
	MEMBER("branch_id", KIND_ID, rule), \
	MEMBER("start_time", KIND_ID, rule), \
	MEMBER("end_time", KIND_ID, rule), \
	MEMBER("slot_min", KIND_INT, OPTIONAL), \
	MEMBER("capacity", KIND_INT, OPTIONAL)
#define HOURS_MEMBERS(rule) \
	SESSION_MEMBERS(rule), \
	MEMBER("weekday", KIND_INT, rule), \
	MEMBER("valid_from", KIND_DATE, OPTIONAL), \
	MEMBER("valid_to", KIND_DATE, OPTIONAL)

static const Arg list_sessions_args[] = {
	PATH("doctor_id"),
	QUERY("branch_id", KIND_ID, OPTIONAL),
	QUERY("date_from", KIND_DATE, OPTIONAL),
	QUERY("date_to", KIND_DATE, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_working_hours_args[] = {
	PATH("doctor_id"),
	FIELDS,
	HOURS_MEMBERS(REQUIRED),
	CONTEXT,
};

static const Arg get_working_hours_args[] = {
	PATH("doctor_id"),
	PATH("working_hours_id"),
	CLIENT,
};

static const Arg update_working_hours_args[] = {
	PATH("doctor_id"),
	PATH("working_hours_id"),
	CHANGES,
	HOURS_MEMBERS(NOT_NULL),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_working_hours_args[] = {
	PATH("doctor_id"),
	PATH("working_hours_id"),
	IF_MATCH,
	CLIENT,
};

static const Arg create_extra_session_args[] = {
	PATH("doctor_id"),
	FIELDS,
	MEMBER("on_date", KIND_DATE, REQUIRED),
	SESSION_MEMBERS(REQUIRED),
	CONTEXT,
};

static const Arg get_extra_session_args[] = {
	PATH("doctor_id"),
	PATH("extra_session_id"),
	CLIENT,
};

static const Arg update_extra_session_args[] = {
	PATH("doctor_id"),
	PATH("extra_session_id"),
	CHANGES,
	MEMBER("on_date", KIND_DATE, NOT_NULL),
	SESSION_MEMBERS(NOT_NULL),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_extra_session_args[] = {
	PATH("doctor_id"),
	PATH("extra_session_id"),
	IF_MATCH,
	CLIENT,
};

/* --- time off and closures ---------------------------------------------- */

#define ABSENCE_MEMBERS \
	MEMBER("starts_at", KIND_TIMESTAMP, NOT_NULL), \
	MEMBER("ends_at", KIND_TIMESTAMP, NOT_NULL), \
	MEMBER("date_from", KIND_DATE, NOT_NULL), \
	MEMBER("date_to", KIND_DATE, NOT_NULL), \
	MEMBER("reason", KIND_TEXT, OPTIONAL)

static const Arg list_time_off_args[] = {
	PATH("doctor_id"),
	QUERY("date_from", KIND_DATE, OPTIONAL),
	QUERY("date_to", KIND_DATE, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_time_off_args[] = {
	PATH("doctor_id"),
	FIELDS,
	ABSENCE_MEMBERS,
	MEMBER("displace", KIND_ID, OPTIONAL),
	CONTEXT,
};

static const Arg get_time_off_args[] = {
	PATH("doctor_id"),
	PATH("time_off_id"),
	CLIENT,
};

static const Arg update_time_off_args[] = {
	PATH("doctor_id"),
	PATH("time_off_id"),
	CHANGES,
	ABSENCE_MEMBERS,
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_time_off_args[] = {
	PATH("doctor_id"),
	PATH("time_off_id"),
	IF_MATCH,
	CLIENT,
};

static const Arg list_closures_args[] = {
	PATH("branch_id"),
	QUERY("date_from", KIND_DATE, OPTIONAL),
	QUERY("date_to", KIND_DATE, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_closure_args[] = {
	PATH("branch_id"),
	FIELDS,
	ABSENCE_MEMBERS,
	MEMBER("displace", KIND_ID, OPTIONAL),
	CONTEXT,
};

static const Arg get_closure_args[] = {
	PATH("branch_id"),
	PATH("closure_id"),
	CLIENT,
};

static const Arg update_closure_args[] = {
	PATH("branch_id"),
	PATH("closure_id"),
	CHANGES,
	ABSENCE_MEMBERS,
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_closure_args[] = {
	PATH("branch_id"),
	PATH("closure_id"),
	IF_MATCH,
	CLIENT,
};

/* --- visit types, settings, templates of messages ------------------------ */

#define VISIT_TYPE_MEMBERS(rule) \
	MEMBER("name", KIND_ID, rule), \
	MEMBER("duration_min", KIND_INT, OPTIONAL), \
	MEMBER("buffer_before_min", KIND_INT, OPTIONAL), \
	MEMBER("buffer_after_min", KIND_INT, OPTIONAL), \
	MEMBER("active", KIND_BOOL, NOT_NULL)

static const Arg create_visit_type_args[] = {
	FIELDS,
	MEMBER("visit_type", KIND_ID, REQUIRED),
	VISIT_TYPE_MEMBERS(REQUIRED),
	CONTEXT,
};

static const Arg get_visit_type_args[] = {
	PATH("visit_type"),
	CLIENT,
};

static const Arg update_visit_type_args[] = {
	PATH("visit_type"),
	CHANGES,
	VISIT_TYPE_MEMBERS(NOT_NULL),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_visit_type_args[] = {
	PATH("visit_type"),
	IF_MATCH,
	CLIENT,
};

#define SETTING_SCOPE \
	QUERY("branch_id", KIND_ID, OPTIONAL), \
	QUERY("doctor_id", KIND_ID, OPTIONAL)

static const Arg list_settings_args[] = {
	SETTING_SCOPE,
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_setting_args[] = {
	FIELDS,
	MEMBER("name", KIND_ID, REQUIRED),
	MEMBER("value", KIND_SCALAR, REQUIRED),
	MEMBER("branch_id", KIND_ID, OPTIONAL),
	MEMBER("doctor_id", KIND_ID, OPTIONAL),
	CONTEXT,
};

static const Arg get_setting_args[] = {
	PATH("name"),
	SETTING_SCOPE,
	CLIENT,
};

static const Arg update_setting_args[] = {
	PATH("name"),
	SETTING_SCOPE,
	CHANGES,
	MEMBER("value", KIND_SCALAR, REQUIRED),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_setting_args[] = {
	PATH("name"),
	SETTING_SCOPE,
	IF_MATCH,
	CLIENT,
};

#define TEMPLATE_MEMBERS(rule) \
	MEMBER("event", KIND_ID, rule), \
	MEMBER("channel", KIND_ID, rule), \
	MEMBER("language", KIND_ID, rule), \
	MEMBER("subject", KIND_TEXT, OPTIONAL), \
	MEMBER("body", KIND_ID, rule), \
	MEMBER("active", KIND_BOOL, NOT_NULL)

static const Arg list_templates_args[] = {
	QUERY("event", KIND_ID, OPTIONAL),
	QUERY("channel", KIND_ID, OPTIONAL),
	QUERY("language", KIND_ID, OPTIONAL),
	QUERY("active", KIND_BOOL, OPTIONAL),
	PAGE,
	PER_PAGE,
	CLIENT,
};

static const Arg create_template_args[] = {
	FIELDS,
	TEMPLATE_MEMBERS(REQUIRED),
	CONTEXT,
};

static const Arg get_template_args[] = {
	PATH("notification_template_id"),
	CLIENT,
};

static const Arg update_template_args[] = {
	PATH("notification_template_id"),
	CHANGES,
	TEMPLATE_MEMBERS(NOT_NULL),
	IF_MATCH,
	CONTEXT,
};

static const Arg delete_template_args[] = {
	PATH("notification_template_id"),
	IF_MATCH,
	CLIENT,
};

#define LIST(p, s, f, list) CALL("GET", p, s, 200, READ_ALONE, f, list)
#define GET(p, s, f, list) CALL("GET", p, s, 200, READ_ALONE, f, list)
#define CREATE(p, s, f, list) CALL("POST", p, s, 201, WRITE, f, list)
#define UPDATE(p, s, f, list) CALL("PATCH", p, s, 200, WRITE, f, list)
#define DELETE(p, s, f, list) CALL("DELETE", p, s, 204, WRITE, f, list)
/* Displaces appointments: there may be events. */
#define ABSENCE(p, f, list) CHANGE("POST", p, MANAGE, 201, f, list)

static const Route routes[] = {
	LIST("/patients", READ_P, "list_patients", list_patients_args),
	CREATE("/patients", WRITE_P, "create_patient", create_patient_args),
	GET(PATIENT, READ_P, "get_patient", get_patient_args),
	UPDATE(PATIENT, WRITE_P, "update_patient", update_patient_args),

	LIST("/branches", READ_S, "list_branches", list_active_args),
	CREATE("/branches", MANAGE, "create_branch", create_branch_args),
	GET(BRANCH, READ_S, "get_branch", get_branch_args),
	UPDATE(BRANCH, MANAGE, "update_branch", update_branch_args),
	DELETE(BRANCH, MANAGE, "delete_branch", delete_branch_args),

	LIST(CLOSURES, READ_S, "list_closures", list_closures_args),
	ABSENCE(CLOSURES, "create_closure", create_closure_args),
	GET(CLOSURES "/{closure_id}", READ_S, "get_closure", get_closure_args),
	UPDATE(CLOSURES "/{closure_id}", MANAGE, "update_closure",
		   update_closure_args),
	DELETE(CLOSURES "/{closure_id}", MANAGE, "delete_closure",
		   delete_closure_args),

	LIST("/doctors", READ_S, "list_doctors", list_doctors_args),
	CREATE("/doctors", MANAGE, "create_doctor", create_doctor_args),
	GET(DOCTOR, READ_S, "get_doctor", get_doctor_args),
	UPDATE(DOCTOR, MANAGE, "update_doctor", update_doctor_args),
	DELETE(DOCTOR, MANAGE, "delete_doctor", delete_doctor_args),

	LIST(HOURS, READ_S, "list_working_hours", list_sessions_args),
	CREATE(HOURS, MANAGE, "create_working_hours", create_working_hours_args),
	GET(HOURS "/{working_hours_id}", READ_S, "get_working_hours",
		get_working_hours_args),
	UPDATE(HOURS "/{working_hours_id}", MANAGE, "update_working_hours",
		   update_working_hours_args),
	DELETE(HOURS "/{working_hours_id}", MANAGE, "delete_working_hours",
		   delete_working_hours_args),

	LIST(SESSIONS, READ_S, "list_extra_sessions", list_sessions_args),
	CREATE(SESSIONS, MANAGE, "create_extra_session",
		   create_extra_session_args),
	GET(SESSIONS "/{extra_session_id}", READ_S, "get_extra_session",
		get_extra_session_args),
	UPDATE(SESSIONS "/{extra_session_id}", MANAGE, "update_extra_session",
		   update_extra_session_args),
	DELETE(SESSIONS "/{extra_session_id}", MANAGE, "delete_extra_session",
		   delete_extra_session_args),

	LIST(TIME_OFF, READ_S, "list_time_off", list_time_off_args),
	ABSENCE(TIME_OFF, "create_time_off", create_time_off_args),
	GET(TIME_OFF "/{time_off_id}", READ_S, "get_time_off",
		get_time_off_args),
	UPDATE(TIME_OFF "/{time_off_id}", MANAGE, "update_time_off",
		   update_time_off_args),
	DELETE(TIME_OFF "/{time_off_id}", MANAGE, "delete_time_off",
		   delete_time_off_args),

	LIST("/visit-types", READ_S, "list_visit_types", list_active_args),
	CREATE("/visit-types", MANAGE, "create_visit_type",
		   create_visit_type_args),
	GET(VISIT_TYPE, READ_S, "get_visit_type", get_visit_type_args),
	UPDATE(VISIT_TYPE, MANAGE, "update_visit_type", update_visit_type_args),
	DELETE(VISIT_TYPE, MANAGE, "delete_visit_type", delete_visit_type_args),

	LIST("/settings", READ_S, "list_settings", list_settings_args),
	CREATE("/settings", MANAGE, "create_setting", create_setting_args),
	GET(SETTING, READ_S, "get_setting", get_setting_args),
	UPDATE(SETTING, MANAGE, "update_setting", update_setting_args),
	DELETE(SETTING, MANAGE, "delete_setting", delete_setting_args),

	LIST(TEMPLATES, READ_S, "list_notification_templates",
		 list_templates_args),
	CREATE(TEMPLATES, MANAGE, "create_notification_template",
		   create_template_args),
	GET(TEMPLATE, READ_S, "get_notification_template", get_template_args),
	UPDATE(TEMPLATE, MANAGE, "update_notification_template",
		   update_template_args),
	DELETE(TEMPLATE, MANAGE, "delete_notification_template",
		   delete_template_args),
};

const RouteRows admin_routes = {
	routes, sizeof(routes) / sizeof(routes[0])
};
