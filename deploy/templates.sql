-- Templates of messages to patients, in English and Hindi, for every event and
-- channel: psql -f deploy/templates.sql, as a member of appt_admin. What is
-- there already stays. Lines with a link are left out until the setting
-- public_url says where links lead to. WhatsApp and, in India, SMS want these texts registered
-- with the provider first: put its ids into provider_template, provider_language,
-- variables and dlt_template_id then, and the registered text into body.

INSERT INTO appt.notification_template
	(event, channel, language, subject, body, category)
SELECT t.event, 'email', t.language, t.subject, t.greeting || E'\n\n' || t.body
	|| E'\n\n{{branch_name}}\n{{branch_address}}\n{{branch_phone}}\n', t.category
FROM (VALUES
	('booked', 'en', 'transactional', 'Dear {{patient_name}},',
		'Your appointment on {{slot_date}} is booked',
'{{doctor_name}} expects you on {{slot_date}} at {{slot_time}}.
Your token is number {{token_number}}, your appointment {{appointment_id}}.

Another time: {{move_link}}
Cancel: {{cancel_link}}'),
	('booked', 'hi', 'transactional', 'प्रिय {{patient_name}},',
		'{{slot_date}} का आपका अपॉइंटमेंट बुक हो गया है',
'{{doctor_name}} से आपका अपॉइंटमेंट {{slot_date}} को {{slot_time}} बजे है।
आपका टोकन नंबर {{token_number}} है, अपॉइंटमेंट {{appointment_id}}।

दूसरा समय: {{move_link}}
रद्द करें: {{cancel_link}}'),
	('rescheduled', 'en', 'transactional', 'Dear {{patient_name}},',
		'Your appointment is now on {{slot_date}}',
'your appointment {{appointment_id}} with {{doctor_name}} was moved to
{{slot_date}} at {{slot_time}}. Your token is number {{token_number}}.
{{reason}}

Another time: {{move_link}}
Cancel: {{cancel_link}}'),
	('rescheduled', 'hi', 'transactional', 'प्रिय {{patient_name}},',
		'आपका अपॉइंटमेंट अब {{slot_date}} को है',
'{{doctor_name}} से आपका अपॉइंटमेंट {{appointment_id}} अब {{slot_date}} को
{{slot_time}} बजे है। आपका टोकन नंबर {{token_number}} है।
{{reason}}

दूसरा समय: {{move_link}}
रद्द करें: {{cancel_link}}'),
	('cancelled', 'en', 'transactional', 'Dear {{patient_name}},',
		'Your appointment on {{slot_date}} is cancelled',
'your appointment {{appointment_id}} with {{doctor_name}} on {{slot_date}} at
{{slot_time}} was cancelled.
{{reason}}'),
	('cancelled', 'hi', 'transactional', 'प्रिय {{patient_name}},',
		'{{slot_date}} का आपका अपॉइंटमेंट रद्द हो गया है',
'{{doctor_name}} से {{slot_date}} को {{slot_time}} बजे का आपका अपॉइंटमेंट
{{appointment_id}} रद्द कर दिया गया है।
{{reason}}'),
	('reminder', 'en', 'service_implicit', 'Dear {{patient_name}},',
		'Reminder: your appointment on {{slot_date}} at {{slot_time}}',
'{{doctor_name}} expects you on {{slot_date}} at {{slot_time}}.
Your token is number {{token_number}}.

Yes, I will come: {{confirm_link}}
Another time: {{move_link}}
Cancel: {{cancel_link}}

No more reminders by e-mail: {{unsubscribe_link}}'),
	('reminder', 'hi', 'service_implicit', 'प्रिय {{patient_name}},',
		'याद दिलाने के लिए: {{slot_date}} को {{slot_time}} बजे अपॉइंटमेंट',
'{{doctor_name}} से आपका अपॉइंटमेंट {{slot_date}} को {{slot_time}} बजे है।
आपका टोकन नंबर {{token_number}} है।

हाँ, आना है: {{confirm_link}}
दूसरा समय: {{move_link}}
रद्द करें: {{cancel_link}}

ई-मेल से याद न दिलाएँ: {{unsubscribe_link}}'),
	('waitlist_offer', 'en', 'service_implicit', 'Dear {{patient_name}},',
		'A time is free for you: {{slot_date}}',
'{{doctor_name}} could see you on {{slot_date}} at {{slot_time}}.
We keep this time for you until {{offer_until}}.

Take it, or tell us that you do not want it: {{offer_link}}

Or call us: {{branch_phone}}'),
	('waitlist_offer', 'hi', 'service_implicit', 'प्रिय {{patient_name}},',
		'आपके लिए एक समय खाली है: {{slot_date}}',
'{{doctor_name}} आपको {{slot_date}} को {{slot_time}} बजे देख सकते हैं।
यह समय {{offer_until}} तक आपके लिए रखा है।

यह समय लें, या बताएँ कि नहीं चाहिए: {{offer_link}}

या हमें फ़ोन करें: {{branch_phone}}'),
	('follow_up', 'en', 'service_implicit', 'Dear {{patient_name}},',
		'It is time for your next visit',
'you were with {{doctor_name}} on {{slot_date}}. It is time to come again:
call us for an appointment.

No more reminders by e-mail: {{unsubscribe_link}}'),
	('follow_up', 'hi', 'service_implicit', 'प्रिय {{patient_name}},',
		'आपकी अगली मुलाक़ात का समय आ गया है',
'आप {{slot_date}} को {{doctor_name}} से मिले थे। अब फिर आने का समय है:
अपॉइंटमेंट के लिए हमें फ़ोन करें।

ई-मेल से याद न दिलाएँ: {{unsubscribe_link}}')
) AS t (event, language, category, greeting, subject, body)
ON CONFLICT DO NOTHING;

INSERT INTO appt.notification_template
	(event, channel, language, body, category)
SELECT t.event, c.channel, t.language, t.body, t.category
FROM (VALUES
	('booked', 'en', 'transactional',
'Booked: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}. Token {{token_number}}.
{{view_link}}'),
	('booked', 'hi', 'transactional',
'बुकिंग हो गई: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}। टोकन {{token_number}}।
{{view_link}}'),
	('rescheduled', 'en', 'transactional',
'Moved to {{slot_date}} {{slot_time}}: {{doctor_name}}, {{branch_name}}. Token {{token_number}}.
{{view_link}}'),
	('rescheduled', 'hi', 'transactional',
'नया समय {{slot_date}} {{slot_time}}: {{doctor_name}}, {{branch_name}}। टोकन {{token_number}}।
{{view_link}}'),
	('cancelled', 'en', 'transactional',
'Cancelled: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}.'),
	('cancelled', 'hi', 'transactional',
'रद्द हो गया: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}।'),
	('reminder', 'en', 'service_implicit',
'Reminder: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}. Token {{token_number}}.
{{confirm_link}}'),
	('reminder', 'hi', 'service_implicit',
'याद रहे: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}। टोकन {{token_number}}।
{{confirm_link}}'),
	('waitlist_offer', 'en', 'service_implicit',
'Free for you: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}, kept until {{offer_until}}. Call {{branch_phone}} or answer:
{{offer_link}}'),
	('waitlist_offer', 'hi', 'service_implicit',
'आपके लिए खाली: {{doctor_name}}, {{slot_date}} {{slot_time}}, {{branch_name}}, {{offer_until}} तक रखा है। फ़ोन {{branch_phone}} या उत्तर:
{{offer_link}}'),
	('follow_up', 'en', 'service_implicit',
'Time for your next visit to {{doctor_name}}, {{branch_name}}. Call {{branch_phone}}.'),
	('follow_up', 'hi', 'service_implicit',
'{{doctor_name}} से अगली मुलाक़ात का समय आ गया है, {{branch_name}}। फ़ोन {{branch_phone}}।')
) AS t (event, language, category, body)
CROSS JOIN (VALUES ('sms'), ('whatsapp')) AS c (channel)
ON CONFLICT DO NOTHING;
