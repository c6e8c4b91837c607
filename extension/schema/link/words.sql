/* ---------------------------------------------------------------------------
 * The words of the pages behind links, and of what staff are told by e-mail of
 * sign-ins: what is built in, and what a clinic says instead, or in other
 * languages (deploy/pages.sql has Hindi).  They are plain text with
 * placeholders, as templates of messages are; how a page is built is not
 * theirs.
 * ------------------------------------------------------------------------ */

CREATE VIEW appt.page_text_default AS
SELECT t.language, t.name, t.text
FROM (VALUES
	('en', 'ask_cancel', 'Cancel this visit?'),
	('en', 'ask_confirm', 'Will you come?'),
	('en', 'ask_move', 'Choose another time'),
	('en', 'ask_offer', 'Do you want this time?'),
	('en', 'ask_unsubscribe', 'Stop reminders?'),
	('en', 'button_accept', 'Yes, book it for me'),
	('en', 'button_cancel', 'Cancel the visit'),
	('en', 'button_confirm', 'Yes, I will come'),
	('en', 'button_decline', 'No, thank you'),
	('en', 'button_move', 'Move the visit'),
	('en', 'button_unsubscribe', 'Stop reminders'),
	('en', 'channel_email', 'email'),
	('en', 'channel_sms', 'SMS'),
	('en', 'channel_whatsapp', 'WhatsApp'),
	('en', 'contact', ''),
	('en', 'earlier', 'Earlier day'),
	('en', 'label_day', 'Day'),
	('en', 'label_doctor', 'Doctor'),
	('en', 'label_patient', 'Patient'),
	('en', 'label_reason', 'Reason, if you want to give one'),
	('en', 'label_slots', 'Free times on {{day}}'),
	('en', 'label_time', 'Time'),
	('en', 'label_token', 'Token'),
	('en', 'label_until', 'Kept for you until'),
	('en', 'later', 'Later day'),
	('en', 'no_reason', 'Cancelled by the patient'),
	('en', 'note_bad', 'It may have been cut: use it whole, as it stands in '
		'the message. Or call the clinic.'),
	('en', 'note_changed', 'The visit was changed a moment ago. This is how '
		'it is now.'),
	('en', 'note_choose', 'Choose a time first.'),
	('en', 'note_elsewhere', 'You have another visit at that time. Choose '
		'another time.'),
	('en', 'note_ended', 'Links work until the visit is over. Call the clinic '
		'if you need another one.'),
	('en', 'note_moved', 'It was moved after this link was sent. This is how '
		'it is now.'),
	('en', 'note_no_slot', 'There is no other free time that can be chosen '
		'here. Call the clinic.'),
	('en', 'note_offer_declined', 'It is not kept for you any more. Call the '
		'clinic if you want to come after all.'),
	('en', 'note_offer_elsewhere', 'You have another visit at that time. Call '
		'the clinic if you would rather come then.'),
	('en', 'note_offer_over', 'It is not kept for you any more. Call the '
		'clinic if you want to come.'),
	('en', 'note_offer_taken', 'You took the time that it offered. The message '
		'about your visit has a link to it.'),
	('en', 'note_refused', 'That is not possible any more. Call the clinic.'),
	('en', 'note_slot_gone', 'That time is not free any more. Choose another '
		'one.'),
	('en', 'note_too_late_cancel', 'The visit is too near to be cancelled '
		'here. Call the clinic.'),
	('en', 'note_too_late_move', 'The visit is too near to be moved here. '
		'Call the clinic.'),
	('en', 'note_unsubscribe', 'You get no more reminders by {{channel}} then. '
		'What is booked, moved or cancelled you are told all the same.'),
	('en', 'note_unsubscribed', 'None comes by {{channel}} any more. What is '
		'booked, moved or cancelled you are told all the same.'),
	('en', 'sign_in_address', 'Address'),
	('en', 'sign_in_browser', 'Browser'),
	('en', 'sign_in_hello', 'Hello {{name}},'),
	('en', 'sign_in_mine', 'If it was you, there is nothing to do.'),
	('en', 'sign_in_not_mine', 'If it was not, change your password at once, '
		'on the clinic''s page, behind your name: that signs out everywhere '
		'else. Then tell who manages accounts at the clinic.'),
	('en', 'sign_in_subject', 'Sign-in from a new device: {{account}}'),
	('en', 'sign_in_time', 'Time'),
	('en', 'sign_in_unknown', 'not known'),
	('en', 'sign_in_what', 'somebody signed in to your account {{account}} '
		'from a device that it was not used from before.'),
	('en', 'title_arrived', 'You are checked in'),
	('en', 'title_bad', 'This link does not work'),
	('en', 'title_booked', 'Your visit is booked'),
	('en', 'title_cancelled', 'Your visit is cancelled'),
	('en', 'title_confirmed', 'Your visit is confirmed'),
	('en', 'title_ended', 'This link has ended'),
	('en', 'title_moved', 'Your visit was moved'),
	('en', 'title_offer_declined', 'You declined this time'),
	('en', 'title_offer_over', 'This offer has ended'),
	('en', 'title_over', 'This visit is over'),
	('en', 'title_unsubscribed', 'You get no more reminders'),
	('en', 'weekday_1', 'Monday'),
	('en', 'weekday_2', 'Tuesday'),
	('en', 'weekday_3', 'Wednesday'),
	('en', 'weekday_4', 'Thursday'),
	('en', 'weekday_5', 'Friday'),
	('en', 'weekday_6', 'Saturday'),
	('en', 'weekday_7', 'Sunday')
) AS t (language, name, text);

COMMENT ON VIEW appt.page_text_default IS
	'The words of the pages behind links, and of mails on sign-ins '
	'(sign_in_...), that are built in; a row of appt.page_text takes the place '
	'of one. contact stands below each page '
	'and is empty: a clinic may say there how to reach it';
COMMENT ON COLUMN appt.page_text_default.language IS 'Language tag (BCP 47)';
COMMENT ON COLUMN appt.page_text_default.name IS 'Where it stands';
COMMENT ON COLUMN appt.page_text_default.text IS
	'Plain text; {{patient_first_name}}, {{doctor_name}}, {{slot_date}}, '
	'{{slot_time}}, {{token_number}}, {{day}} (of the free times) and '
	'{{channel}} can stand in it; of mails on sign-ins {{name}} and '
	'{{account}}';

CREATE TABLE appt.page_text (
	language text NOT NULL,
	name text NOT NULL,
	text appt.message_text NOT NULL,
	CONSTRAINT page_text_pkey PRIMARY KEY (language, name),
	CONSTRAINT page_text_language_format
		CHECK (appt_internal.is_language_tag(language)),
	CONSTRAINT page_text_length CHECK (length(text) <= 500),
	CONSTRAINT page_text_not_blank CHECK (text ~ '\S')
);

COMMENT ON TABLE appt.page_text IS
	'The clinic''s own words for the pages behind links and for mails on '
	'sign-ins, in any language; appt.page_text_default lists the names and '
	'what is said otherwise';
COMMENT ON COLUMN appt.page_text.language IS 'Language tag (BCP 47): en, hi';
COMMENT ON COLUMN appt.page_text.name IS
	'One of the names of appt.page_text_default';
COMMENT ON COLUMN appt.page_text.text IS
	'Plain text, with the placeholders of appt.page_text_default';

CREATE FUNCTION appt_internal.page_text_check() RETURNS trigger
	LANGUAGE plpgsql VOLATILE PARALLEL UNSAFE
	SECURITY DEFINER SET search_path = pg_catalog, pg_temp
AS $$
DECLARE
	wrong CONSTANT text := (
		SELECT m.match[1]
		FROM regexp_matches(NEW.text, '\{\{[^{}]{0,24}(?:\}\})?|\}\}', 'g')
			WITH ORDINALITY AS m (match, place)
		WHERE m.match[1] <> ALL (CASE WHEN NEW.name LIKE 'sign\_in\_%'
			THEN '{"{{name}}","{{account}}"}'
			ELSE '{"{{patient_first_name}}","{{doctor_name}}",
				"{{slot_date}}","{{slot_time}}","{{token_number}}","{{day}}",
				"{{channel}}"}' END::text[])
		ORDER BY m.place
		LIMIT 1);
BEGIN
	IF NOT EXISTS (
		SELECT
		FROM appt.page_text_default d
		WHERE d.name = NEW.name)
	THEN
		RAISE EXCEPTION 'there is no page text "%"', NEW.name
			USING ERRCODE = 'SB001', COLUMN = 'name',
				HINT = 'appt.page_text_default lists them.';
	ELSIF wrong IS NOT NULL THEN
		RAISE EXCEPTION '"%" in the text is not a placeholder', wrong
			USING ERRCODE = 'SB001', COLUMN = 'text',
				HINT = CASE WHEN NEW.name LIKE 'sign\_in\_%'
					THEN 'There are {{name}} and {{account}}.'
					ELSE 'There are {{patient_first_name}}, {{doctor_name}}, '
						'{{slot_date}}, {{slot_time}}, {{token_number}}, '
						'{{day}} and {{channel}}.' END;
	END IF;
	RETURN NEW;
END
$$;

COMMENT ON FUNCTION appt_internal.page_text_check() IS
	'Row trigger: refuses a text that no page has, and {{ and }} around '
	'anything but a placeholder; raises SB001';

CREATE TRIGGER page_text_check
	BEFORE INSERT OR UPDATE ON appt.page_text
	FOR EACH ROW EXECUTE FUNCTION appt_internal.page_text_check();

CREATE FUNCTION appt_internal.page_words(languages text[]) RETURNS jsonb
	LANGUAGE sql STABLE PARALLEL SAFE
	SET search_path = pg_catalog, pg_temp
AS $$
	SELECT jsonb_object_agg(w.name, w.text) || jsonb_build_object('language',
		max(w.language) FILTER (WHERE w.name = 'title_booked'))
	FROM (
		SELECT DISTINCT ON (t.name) t.name, t.text, t.language
		FROM unnest($1 || '{en}'::text[]) WITH ORDINALITY
			AS l (language, preference)
		JOIN (
			SELECT p.language, p.name, p.text, 0
			FROM appt.page_text p
			UNION ALL
			SELECT d.language, d.name, d.text, 1
			FROM appt.page_text_default d) AS t (language, name, text, place)
			ON starts_with(lower(l.language) || '-', lower(t.language) || '-')
		ORDER BY t.name, l.preference, length(t.language) DESC, t.place) w
$$;

COMMENT ON FUNCTION appt_internal.page_words(text[]) IS
	'All words of a page in the first of these languages that has them, else '
	'in English; language: the tag of the page';
