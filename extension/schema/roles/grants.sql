/* ---------------------------------------------------------------------------
 * Who may do what: every right that there is, role by role, and here alone.
 *
 * PUBLIC may do nothing, so that a function or table that is named nowhere
 * below is appt_owner's.  That goes for trigger functions too: who may execute
 * one can hang it on a table of his own.  Types keep USAGE for PUBLIC, without
 * which a DBA's own tables could not have columns of them; it permits no more.
 *
 * docs/sql.md has the same as a table; t/009_catalog.t compares the two.
 * ------------------------------------------------------------------------ */

REVOKE ALL ON SCHEMA
	appt, appt_api, appt_relay, appt_report, appt_internal FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA
	appt, appt_api, appt_relay, appt_report, appt_internal FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA
	appt, appt_api, appt_relay, appt_report, appt_internal FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA
	appt, appt_api, appt_relay, appt_report, appt_internal FROM PUBLIC;

/* --- appt_owner: as whom the functions run ------------------------------- */

GRANT USAGE ON SCHEMA
	appt, appt_api, appt_relay, appt_report, appt_internal TO appt_owner;

/* --- appt_admin: the DBA, the front desk's SQL --------------------------- */

GRANT USAGE ON SCHEMA appt, appt_relay, appt_report TO appt_admin;

GRANT SELECT, INSERT, UPDATE, DELETE ON
	appt.branch,
	appt.closure,
	appt.department,
	appt.doctor,
	appt.extra_session,
	appt.notification_opt_out,
	appt.notification_preference,
	appt.notification_template,
	appt.operating_hours,
	appt.page_text,
	appt.patient,
	appt.setting,
	appt.time_off,
	appt.visit_type,
	appt.working_hours
	TO appt_admin;

GRANT SELECT ON
	appt.appointment,
	appt.client_audit,
	appt.delivery,
	appt.delivery_attempt,
	appt.doctor_day,
	appt.event,
	appt.notification,
	appt.notification_attempt,
	appt.notification_placeholder,
	appt.notification_report,
	appt.notification_setting,
	appt.page_text_default,
	appt.patient_access,
	appt.setting_definition,
	appt.staff_audit,
	appt.waitlist_offer,
	appt.waitlist_offer_message,
	appt.webhook
	TO appt_admin;

/* Clients are made by appt.create_client, which makes their secrets. */
GRANT SELECT (client_id, name, description, scopes, branch_ids, active,
	requests_per_minute, epoch, version, created_at, updated_at,
	last_token_at) ON appt.api_client TO appt_admin;
GRANT UPDATE (name, description, scopes, branch_ids, active,
	requests_per_minute) ON appt.api_client TO appt_admin;
GRANT DELETE ON appt.api_client TO appt_admin;
GRANT SELECT (kid, created_at) ON appt.signing_key TO appt_admin;
GRANT SELECT (board_id, branch_id, name, created_at, created_by, revoked_at,
	last_seen_at) ON appt.board TO appt_admin;

/* Staff are made by appt.create_staff. Passwords and codes are nobody's. */
GRANT SELECT (staff_id, account, name, role, branch_ids, doctor_id,
	department_ids, language, email, active, version, created_at, updated_at,
	last_sign_in_at, deleted_at),
	UPDATE (name, role, branch_ids, doctor_id, department_ids, language, email,
		active)
	ON appt.staff TO appt_admin;
GRANT SELECT (sign_in_id, staff_id, created_at, last_used_at, expires_at,
	address, user_agent), DELETE ON appt.staff_sign_in TO appt_admin;

/* A channel's secret is written, and read by the relay alone. */
GRANT SELECT (channel_no, channel_id, kind, settings, active, version),
	INSERT (channel_id, kind, settings, secret, callback_secret, active),
	UPDATE (channel_id, kind, settings, secret, callback_secret, active),
	DELETE ON appt.notification_channel TO appt_admin;

/* All functions of schema appt: that is what it is for. */
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA appt TO appt_admin;

/* What the relay does by itself, for a DBA who cannot wait. */
GRANT EXECUTE ON FUNCTION
	appt_relay.retention,
	appt_relay.stats
	TO appt_admin;

/*
 * A default, a CHECK, an index and a view call their functions with the rights
 * of whoever writes or reads the row.  Without USAGE on schema appt_internal he
 * calls them in no other way.
 */
GRANT EXECUTE ON FUNCTION
	appt_internal.all_scopes,
	appt_internal.channel_load,
	appt_internal.client_actor,
	appt_internal.instant,
	appt_internal.is_language_tag,
	appt_internal.is_scope_list,
	appt_internal.is_time_zone,
	appt_internal.json_time,
	appt_internal.known_zone,
	appt_internal.local_time,
	appt_internal.minutes_between,
	appt_internal.month_of,
	appt_internal.name_key,
	appt_internal.new_id,
	appt_internal.patient_terms,
	appt_internal.role_scopes
	TO appt_admin;

/* --- appt_gateway: the HTTP gateway -------------------------------------- */

/* Schema appt_api is what the gateway calls, all of it and nothing else. */
GRANT USAGE ON SCHEMA appt_api TO appt_gateway;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA appt_api TO appt_gateway;

/* --- appt_relay: the webhook relay --------------------------------------- */

/* Schema appt_relay is what the relay calls, and the sweeps that a DBA has. */
GRANT USAGE ON SCHEMA appt_relay, appt TO appt_relay;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA appt_relay TO appt_relay;
GRANT EXECUTE ON FUNCTION
	appt.expire,
	appt.upkeep
	TO appt_relay;

/* --- appt_reporting, appt_reporting_contact: reporting tools ------------- */

GRANT USAGE ON SCHEMA appt_report TO appt_reporting, appt_reporting_contact;

GRANT SELECT ON
	appt_report.appointment,
	appt_report.bookings_by_hour,
	appt_report.cancellation,
	appt_report.daily_schedule,
	appt_report.health,
	appt_report.no_show_rate,
	appt_report.notification,
	appt_report.notification_health,
	appt_report.offered_time,
	appt_report.queue_now,
	appt_report.utilisation,
	appt_report.waiting_time,
	appt_report.webhook_health
	TO appt_admin, appt_reporting, appt_reporting_contact;

GRANT SELECT ON
	appt_report.appointment_contact,
	appt_report.daily_schedule_contact,
	appt_report.patient_contact
	TO appt_admin, appt_reporting_contact;

/*
 * A view calls functions with its reader's rights; without USAGE on schemas
 * appt and appt_internal a reader calls them in no other way.
 */
GRANT EXECUTE ON FUNCTION
	appt.clock,
	appt.health,
	appt_internal.channel_load,
	appt_internal.instant,
	appt_internal.known_zone,
	appt_internal.local_time,
	appt_internal.minutes_between,
	appt_internal.month_of,
	appt.queue
	TO appt_reporting, appt_reporting_contact;
