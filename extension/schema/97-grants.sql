/* ---------------------------------------------------------------------------
 * Who may do what: every right that there is, role by role, and here alone.
 *
 * PUBLIC may do nothing, so that a function or table that is named nowhere
 * below is appt_owner's.  That goes for trigger functions too: who may execute
 * one can hang it on a table of his own.  Types keep USAGE for PUBLIC, without
 * which a DBA's own tables could not have columns of them; it permits no more.
 *
 * docs/sql.md has the same as a table; t/005_catalog.t compares the two.
 * ------------------------------------------------------------------------ */

REVOKE ALL ON SCHEMA appt, appt_api, appt_report FROM PUBLIC;
REVOKE ALL ON ALL FUNCTIONS IN SCHEMA appt, appt_api, appt_report FROM PUBLIC;
REVOKE ALL ON ALL TABLES IN SCHEMA appt, appt_api, appt_report FROM PUBLIC;
REVOKE ALL ON ALL SEQUENCES IN SCHEMA appt, appt_api, appt_report FROM PUBLIC;

/* --- appt_owner: as whom the functions run ------------------------------- */

GRANT USAGE ON SCHEMA appt, appt_api, appt_report TO appt_owner;

/* --- appt_admin: the DBA, the front desk's SQL --------------------------- */

GRANT USAGE ON SCHEMA appt, appt_report TO appt_admin;

GRANT SELECT, INSERT, UPDATE, DELETE ON
	appt.branch,
	appt.closure,
	appt.doctor,
	appt.extra_session,
	appt.notification_template,
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
	appt.notification_placeholder,
	appt.setting_definition,
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

/*
 * A default, a CHECK and an index call their functions with the rights of
 * whoever writes the row: appt.clock, appt.is_language_tag,
 * appt.is_scope_list, appt.is_time_zone and appt.patient_terms.
 */
GRANT EXECUTE ON FUNCTION
	appt.add_closure,
	appt.add_time_off,
	appt.anonymise_patient,
	appt.appointment_json,
	appt.available_slots,
	appt.book,
	appt.call_next,
	appt.cancel,
	appt.check_in,
	appt.check_rows,
	appt.client_actor,
	appt.clock,
	appt.complete,
	appt.create_client,
	appt.create_webhook,
	appt.delete_webhook,
	appt.disable_webhook,
	appt.enable_webhook,
	appt.expire,
	appt.explain_slot,
	appt.first_available,
	appt.health,
	appt.history,
	appt.hold,
	appt.instant,
	appt.is_language_tag,
	appt.is_scope_list,
	appt.is_time_zone,
	appt.json_time,
	appt.minutes_between,
	appt.month_of,
	appt.new_id,
	appt.no_show,
	appt.patient_terms,
	appt.ping_webhook,
	appt.queue,
	appt.redeliver,
	appt.relay_retention,
	appt.relay_stats,
	appt.release,
	appt.render_message,
	appt.render_template,
	appt.replay,
	appt.reschedule,
	appt.reschedule_day,
	appt.retire_signing_key,
	appt.rotate_client_secret,
	appt.rotate_webhook_secret,
	appt.set_priority,
	appt.skip,
	appt.start,
	appt.undo_check_in,
	appt.upkeep,
	appt.walk_in,
	appt.webhook_alert_types,
	appt.webhook_event_types
	TO appt_admin;

/* --- appt_gateway: the HTTP gateway -------------------------------------- */

/* Schema appt_api is what the gateway calls, all of it and nothing else. */
GRANT USAGE ON SCHEMA appt_api TO appt_gateway;
GRANT EXECUTE ON ALL FUNCTIONS IN SCHEMA appt_api TO appt_gateway;

/* --- appt_relay: the webhook relay --------------------------------------- */

GRANT USAGE ON SCHEMA appt TO appt_relay;
GRANT EXECUTE ON FUNCTION
	appt.claim_deliveries,
	appt.expire,
	appt.record_attempts,
	appt.relay_retention,
	appt.relay_stats,
	appt.relay_tick,
	appt.release_deliveries,
	appt.release_lost,
	appt.upkeep
	TO appt_relay;

/* --- appt_reporting, appt_reporting_contact: reporting tools ------------- */

GRANT USAGE ON SCHEMA appt_report TO appt_reporting, appt_reporting_contact;

GRANT SELECT ON
	appt_report.appointment,
	appt_report.cancellation,
	appt_report.daily_schedule,
	appt_report.health,
	appt_report.no_show_rate,
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
 * A view calls functions with its reader's rights; without USAGE on schema
 * appt a reader can call them in no other way.
 */
GRANT EXECUTE ON FUNCTION
	appt.clock,
	appt.health,
	appt.instant,
	appt.minutes_between,
	appt.month_of,
	appt.queue
	TO appt_reporting, appt_reporting_contact;
