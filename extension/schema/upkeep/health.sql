/* ---------------------------------------------------------------------------
 * appt.health: one row a check, for whoever is on call.
 *
 * Reads only, works on a standby, and looks at indexes: cheap enough for each
 * minute.  Deliveries are in real time, so their checks use the real clock.
 * ------------------------------------------------------------------------ */

CREATE FUNCTION appt_internal.health_of_outbox()
	RETURNS TABLE (check_name text, ok boolean, detail text, remedy text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET jit = off
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	due bigint;
	oldest_s bigint;
	dead bigint;
	broken text;
	relays integer;
BEGIN
	SELECT count(*), coalesce(extract(epoch FROM at - min(d.due_at)), 0)
	INTO due, oldest_s
	FROM appt.delivery d
	WHERE d.state = 'pending'
		AND d.due_at <= at
		AND d.webhook_no IN (SELECT w.webhook_no FROM appt.webhook w);

	SELECT count(*) INTO dead
	FROM appt.delivery d
	WHERE d.finished_at > at - interval '7 days' AND d.state = 'dead';

	SELECT string_agg(format('%s %s since %s', w.webhook_id,
		CASE w.status WHEN 'disabled' THEN 'disabled' ELSE 'fails' END,
		to_char(coalesce(w.disabled_at, w.failing_since),
			'YYYY-MM-DD HH24:MI')), ', ' ORDER BY w.webhook_no)
	INTO broken
	FROM appt.webhook w
	WHERE w.failing_since < at - interval '1 hour'
		OR w.disabled_reason IN ('gone', 'failing');

	SELECT count(*) INTO relays
	FROM pg_stat_activity s
	WHERE s.application_name = 'bioecko-relay'
		AND s.datname = current_database();

	RETURN QUERY VALUES
		('relay',
		relays > 0 OR pg_is_in_recovery()
			OR NOT EXISTS (
				SELECT FROM appt.webhook WHERE status = 'enabled'
				UNION ALL
				SELECT FROM appt.notification_channel WHERE active),
		CASE WHEN pg_is_in_recovery()
			THEN 'this server is a standby; relays connect to its primary'
			ELSE format('connections of bioecko-relay: %s', relays) END,
		'Start bioecko-relay; what waits is sent then.'),
		('outbox_lag',
		due <= 10000,
		format('deliveries that are due: %s (10000 are too many)', due),
		'Is a relay running, and does it reach the endpoints? Start another '
			'one beside it.'),
		('oldest_due_delivery',
		oldest_s <= 60,
		format('seconds that the oldest due delivery waits: %s (60 are too '
			'many)', oldest_s),
		'Is a relay running? Its log and its metrics say what holds it up.'),
		('dead_deliveries',
		dead = 0,
		format('deliveries given up in the last 7 days: %s', dead),
		'When the endpoint works again: '
			'SELECT appt.replay(webhook_id, since).'),
		('webhook_endpoints',
		broken IS NULL,
		coalesce(broken, 'none has failed for an hour or was disabled for it'),
		'Tell its owner; then SELECT appt.enable_webhook(webhook_id).');
END
$$;

COMMENT ON FUNCTION appt_internal.health_of_outbox() IS
	'The part of appt.health about webhooks and the relay';

CREATE FUNCTION appt_internal.health_of_messages()
	RETURNS TABLE (check_name text, ok boolean, detail text, remedy text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
	SET enable_seqscan = off
	SET jit = off
AS $$
DECLARE
	at CONSTANT timestamptz := clock_timestamp();
	oldest_s bigint;
	failed bigint;
	broken text;
BEGIN
	SELECT coalesce(extract(epoch FROM at - min(n.due_at)), 0)
	INTO oldest_s
	FROM appt.notification n
	WHERE n.finished_at IS NULL AND n.state = 'due' AND n.due_at <= at;

	SELECT count(*) INTO failed
	FROM appt.notification n
	WHERE n.finished_at > at - interval '1 day'
		AND n.state IN ('failed', 'dead')
		AND n.appointment_no IS NOT NULL;

	SELECT string_agg(format('%s: %s', c.channel_id, k.error), '; '
		ORDER BY c.channel_id)
	INTO broken
	FROM appt.notification_channel c
	JOIN appt_internal.channel_trouble k ON k.channel_no = c.channel_no
	WHERE c.active;

	RETURN QUERY VALUES
		('message_channels',
		broken IS NULL,
		coalesce(broken, 'each was last reached and let us in'),
		'Put its settings or its secret right in appt.notification_channel; '
			'what waits is sent then.'),
		('oldest_due_message',
		oldest_s <= 300,
		format('seconds that the oldest due message to a patient waits: %s '
			'(300 are too many)', oldest_s),
		'Is a relay running, and does the mail server or provider answer? '
			'appt_report.notification_health says which does not.'),
		('failed_messages',
		failed = 0,
		format('messages to patients refused or given up in the last day: %s',
			failed),
		'appt.notification has the reason; when it is mended: '
			'SELECT appt.resend_failed_notifications(since).');
END
$$;

COMMENT ON FUNCTION appt_internal.health_of_messages() IS
	'The part of appt.health about messages to patients';

CREATE FUNCTION appt_internal.health_of_configuration()
	RETURNS TABLE (check_name text, ok boolean, detail text, remedy text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	clock_setting CONSTANT text := nullif(
		current_setting('bioecko_appt.clock', true), '');
	holds bigint;
	zones text;
	moved bigint;
	outside text;
	wrong text;
BEGIN
	SELECT count(*) INTO holds
	FROM appt.appointment a
	WHERE a.patient_no IS NULL
		AND a.hold_expires_at < appt.clock() - interval '10 minutes';

	SELECT string_agg(format('%s (%s)', b.branch_id, b.time_zone), ', '
		ORDER BY b.branch_id)
	INTO zones
	FROM appt.branch b
	WHERE NOT appt_internal.is_time_zone(b.time_zone);

	SELECT count(*) INTO moved FROM appt.clock_changes();

	SELECT string_agg(format('%s at %s', s.session, s.branch_id), ', ')
	INTO outside
	FROM (SELECT * FROM appt_internal.sessions_outside() LIMIT 20) s;

	SELECT string_agg(format('%s = %s', s.name, s.value), ', '
		ORDER BY s.name, s.setting_no)
	INTO wrong
	FROM appt.setting s
	JOIN appt.setting_definition d ON d.name = s.name
	WHERE CASE
		WHEN d.kind = 'boolean' THEN s.value NOT IN ('true', 'false')
		WHEN d.name LIKE '%\_id\_prefix' THEN s.value !~ '^[A-Z]{1,8}$'
		WHEN d.kind <> 'integer' THEN s.value !~ '\S'
		WHEN s.value !~ '^[0-9]{1,9}$' THEN true
		ELSE s.value::integer NOT BETWEEN d.min_value AND d.max_value
	END;

	RETURN QUERY VALUES
		('clock',
		clock_setting IS NULL,
		coalesce('bioecko_appt.clock is frozen at ' || clock_setting,
			'it is the real time'),
		'ALTER SYSTEM RESET bioecko_appt.clock; SELECT pg_reload_conf(); also '
			'look for it in ALTER DATABASE and ALTER ROLE (\drds).'),
		('expired_holds',
		holds = 0,
		format('holds that expired more than 10 minutes ago: %s', holds),
		'SELECT appt.expire(); the relay does it each minute: is one running? '
			'(Their slots are free again in any case.)'),
		('time_zones',
		zones IS NULL,
		coalesce('not known to this server: ' || zones,
			'all branches have a time zone that this server knows'),
		'Update tzdata, or give the branch its zone''s new name (UPDATE '
			'appt.branch).'),
		('wall_clocks',
		moved = 0,
		format('coming visits at which the clock shows another time than when '
			'they were booked: %s', moved),
		'SELECT * FROM appt.clock_changes() lists them, appt.restore_clock('
			'reason) puts them right. Have all sessions begun since the '
			'server got its time zone data? (docs/operations.md)'),
		('operating_hours',
		outside IS NULL,
		coalesce('sessions outside them, in which nothing is offered: '
				|| outside,
			'all sessions lie within those of their branch'),
		'Shorten the sessions, or lengthen appt.operating_hours. They came '
			'past the triggers: a restore, or DISABLE TRIGGER.'),
		('settings',
		wrong IS NULL,
		coalesce('out of range: ' || wrong, 'all are in range'),
		'UPDATE appt.setting; appt.setting_definition has the bounds.');
END
$$;

COMMENT ON FUNCTION appt_internal.health_of_configuration() IS
	'The part of appt.health about the clock, holds, time zones, operating '
	'hours and settings';

CREATE FUNCTION appt_internal.health_of_server()
	RETURNS TABLE (check_name text, ok boolean, detail text, remedy text)
	LANGUAGE plpgsql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	standby CONSTANT boolean := pg_is_in_recovery();
	notify_use double precision := 0;
	lag_s numeric;
	replication text;
	slots text;
	oldest_s bigint;
BEGIN
	IF standby THEN
		replication := 'this server is a standby';
		lag_s := CASE
			WHEN pg_last_wal_receive_lsn() = pg_last_wal_replay_lsn() THEN 0
			ELSE round(extract(epoch FROM
				clock_timestamp() - pg_last_xact_replay_timestamp()), 1)
		END;
	ELSE
		notify_use := pg_notification_queue_usage();
		SELECT format('standbys: %s', count(*)),
			round(extract(epoch FROM max(r.replay_lag)), 1)
		INTO replication, lag_s
		FROM pg_stat_replication r;
	END IF;

	SELECT string_agg(s.slot_name, ', ' ORDER BY s.slot_name) INTO slots
	FROM pg_replication_slots s
	WHERE NOT s.active AND NOT s.temporary;

	lag_s := coalesce(lag_s, 0);

	SELECT coalesce(extract(epoch FROM
		clock_timestamp() - min(s.xact_start)), 0)
	INTO oldest_s
	FROM pg_stat_activity s
	WHERE s.backend_type = 'client backend';

	RETURN QUERY VALUES
		('notify_queue',
		notify_use <= 0.1,
		format('percent in use: %s (10 are too many)',
			round((100 * notify_use)::numeric, 1)),
		'A session that listens stays in a transaction: look for it in '
			'pg_stat_activity. A full queue makes COMMIT fail.'),
		('replication_lag',
		lag_s <= 30,
		format('%s; seconds behind: %s (30 are too many)', replication, lag_s),
		'Look at pg_stat_replication and at the standby''s log, disk and '
			'network.'),
		('replication_slots',
		slots IS NULL,
		coalesce('not in use and keeping WAL: ' || slots, 'none is unused'),
		'Bring its standby back, or SELECT pg_drop_replication_slot(name).'),
		('long_transactions',
		oldest_s <= 3600,
		format('seconds since the oldest transaction began: %s (3600 are too '
			'many)', oldest_s),
		'Find it in pg_stat_activity by xact_start and end it '
			'(pg_terminate_backend).');
END
$$;

COMMENT ON FUNCTION appt_internal.health_of_server() IS
	'The part of appt.health about NOTIFY, replication and transactions';

CREATE FUNCTION appt_internal.health_of_triggers()
	RETURNS TABLE (check_name text, ok boolean, detail text, remedy text)
	LANGUAGE sql STABLE PARALLEL RESTRICTED
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		'triggers',
		count(*) = 0,
		coalesce('not as the extension made them (DISABLE or ENABLE TRIGGER '
				'ALL does that): '
				|| string_agg(format('%s of %s', w.tgname, w.relation), ', '
					ORDER BY w.relation, w.tgname),
			'all do what the extension made them for'),
		string_agg(format('ALTER TABLE %s ENABLE %sTRIGGER %s;',
			w.relation, w.mode, w.tgname), ' '
			ORDER BY w.relation, w.tgname)
	FROM (
		SELECT
			t.tgname,
			t.tgrelid::regclass::text AS relation,
			t.tgenabled,
			CASE t.tgname
				WHEN 'schedule_changed' THEN 'ALWAYS '
				WHEN 'schedule_replicated' THEN 'REPLICA '
				ELSE ''
			END AS mode
		FROM pg_trigger t
		JOIN pg_proc p ON p.oid = t.tgfoid
		JOIN pg_class c ON c.oid = t.tgrelid
		WHERE c.relnamespace = 'appt'::regnamespace
			AND p.pronamespace = 'appt_internal'::regnamespace) w
	WHERE w.tgenabled <> CASE w.mode
		WHEN 'ALWAYS ' THEN 'A'
		WHEN 'REPLICA ' THEN 'R'
		ELSE 'O'
	END
		AND (w.mode <> '' OR w.tgenabled = 'D')
$$;

COMMENT ON FUNCTION appt_internal.health_of_triggers() IS
	'The part of appt.health about triggers that were switched off, or that '
	'fire no longer where they must: schedule_changed always, '
	'schedule_replicated at a subscriber';

CREATE FUNCTION appt.health()
	RETURNS TABLE (
		check_name text,
		ok boolean,
		detail text,
		what_to_do text)
	LANGUAGE sql STABLE PARALLEL RESTRICTED ROWS 20
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
	SELECT
		c.check_name,
		c.ok,
		c.detail,
		CASE WHEN NOT c.ok THEN c.remedy END
	FROM (
		SELECT * FROM appt_internal.health_of_outbox()
		UNION ALL
		SELECT * FROM appt_internal.health_of_messages()
		UNION ALL
		SELECT * FROM appt_internal.health_of_configuration()
		UNION ALL
		SELECT * FROM appt_internal.health_of_rows()
		UNION ALL
		SELECT * FROM appt_internal.health_of_triggers()
		UNION ALL
		SELECT * FROM appt_internal.health_of_server()) c
$$;

COMMENT ON FUNCTION appt.health() IS
	'One row a check: its name, whether all is well, what was found and, '
	'where not, what to do. Checks relay, outbox_lag, oldest_due_delivery, '
	'dead_deliveries, webhook_endpoints, oldest_due_message, failed_messages, '
	'clock, expired_holds, time_zones, wall_clocks, operating_hours, settings, '
	'missing_rows, triggers, notify_queue, replication_lag, '
	'replication_slots, long_transactions. Writes nothing; works on a standby';

CREATE VIEW appt_report.health AS
SELECT
	h.check_name,
	h.ok,
	h.detail,
	h.what_to_do
FROM appt.health() h;

COMMENT ON VIEW appt_report.health IS
	'appt.health() for a dashboard: one row a check';
