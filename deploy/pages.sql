-- The words of the pages behind links in messages, and of mails to staff on
-- sign-ins, in Hindi (English is built in): psql -f deploy/pages.sql, as a member of appt_admin. What is there
-- already stays. A third language is a copy of this with the words of
-- appt.page_text_default in it.

INSERT INTO appt.page_text (language, name, text)
VALUES
	('hi', 'ask_cancel', 'क्या यह अपॉइंटमेंट रद्द करना है?'),
	('hi', 'ask_confirm', 'क्या आप आएँगे?'),
	('hi', 'ask_move', 'दूसरा समय चुनें'),
	('hi', 'ask_offer', 'क्या आपको यह समय चाहिए?'),
	('hi', 'ask_unsubscribe', 'क्या याद दिलाने वाले संदेश बंद करने हैं?'),
	('hi', 'button_accept', 'हाँ, मेरे लिए बुक करें'),
	('hi', 'button_cancel', 'अपॉइंटमेंट रद्द करें'),
	('hi', 'button_confirm', 'हाँ, आना है'),
	('hi', 'button_decline', 'नहीं, धन्यवाद'),
	('hi', 'button_move', 'समय बदलें'),
	('hi', 'button_unsubscribe', 'संदेश बंद करें'),
	('hi', 'channel_email', 'ई-मेल'),
	('hi', 'channel_sms', 'SMS'),
	('hi', 'channel_whatsapp', 'WhatsApp'),
	('hi', 'earlier', 'पहले का दिन'),
	('hi', 'label_day', 'दिन'),
	('hi', 'label_doctor', 'डॉक्टर'),
	('hi', 'label_patient', 'मरीज़'),
	('hi', 'label_reason', 'कारण, यदि आप बताना चाहें'),
	('hi', 'label_slots', '{{day}} को खाली समय'),
	('hi', 'label_time', 'समय'),
	('hi', 'label_token', 'टोकन'),
	('hi', 'label_until', 'आपके लिए कब तक रखा है'),
	('hi', 'later', 'बाद का दिन'),
	('hi', 'no_reason', 'मरीज़ ने रद्द किया'),
	('hi', 'note_bad', 'हो सकता है कि लिंक अधूरा हो: संदेश में दिया गया पूरा '
		'लिंक खोलें, या क्लिनिक को फ़ोन करें।'),
	('hi', 'note_changed', 'अपॉइंटमेंट अभी-अभी बदला गया है। अब वह ऐसा है।'),
	('hi', 'note_choose', 'पहले कोई समय चुनें।'),
	('hi', 'note_elsewhere', 'उस समय आपका दूसरा अपॉइंटमेंट है। कोई और समय '
		'चुनें।'),
	('hi', 'note_ended', 'लिंक अपॉइंटमेंट के समय तक ही काम करते हैं। नया '
		'अपॉइंटमेंट चाहिए तो क्लिनिक को फ़ोन करें।'),
	('hi', 'note_moved', 'यह लिंक भेजे जाने के बाद समय बदला गया है। अब '
		'अपॉइंटमेंट ऐसा है।'),
	('hi', 'note_no_slot', 'यहाँ चुनने के लिए कोई और समय खाली नहीं है। क्लिनिक '
		'को फ़ोन करें।'),
	('hi', 'note_offer_declined', 'यह समय अब आपके लिए नहीं रखा है। फिर भी आना '
		'चाहें तो क्लिनिक को फ़ोन करें।'),
	('hi', 'note_offer_elsewhere', 'उस समय आपका दूसरा अपॉइंटमेंट है। यदि आप यही '
		'समय चाहते हैं तो क्लिनिक को फ़ोन करें।'),
	('hi', 'note_offer_over', 'यह समय अब आपके लिए नहीं रखा है। आना चाहें तो '
		'क्लिनिक को फ़ोन करें।'),
	('hi', 'note_offer_taken', 'आपने यह समय ले लिया था। अपॉइंटमेंट के संदेश में '
		'उसका लिंक है।'),
	('hi', 'note_refused', 'अब यह संभव नहीं है। क्लिनिक को फ़ोन करें।'),
	('hi', 'note_slot_gone', 'वह समय अब खाली नहीं है। कोई और समय चुनें।'),
	('hi', 'note_too_late_cancel', 'अपॉइंटमेंट का समय पास है, उसे यहाँ रद्द '
		'नहीं किया जा सकता। क्लिनिक को फ़ोन करें।'),
	('hi', 'note_too_late_move', 'अपॉइंटमेंट का समय पास है, उसे यहाँ बदला नहीं '
		'जा सकता। क्लिनिक को फ़ोन करें।'),
	('hi', 'note_unsubscribe', 'फिर याद दिलाने के लिए {{channel}} से संदेश नहीं '
		'आएँगे। बुकिंग, बदलाव और रद्द होने की सूचना आती रहेगी।'),
	('hi', 'note_unsubscribed', 'अब {{channel}} से ऐसे संदेश नहीं आएँगे। बुकिंग, '
		'बदलाव और रद्द होने की सूचना आती रहेगी।'),
	('hi', 'sign_in_address', 'पता'),
	('hi', 'sign_in_browser', 'ब्राउज़र'),
	('hi', 'sign_in_hello', 'नमस्ते {{name}},'),
	('hi', 'sign_in_mine', 'यदि यह आप थे, तो कुछ नहीं करना है।'),
	('hi', 'sign_in_not_mine', 'यदि नहीं, तो क्लिनिक के पृष्ठ पर अपने नाम के पीछे '
		'तुरंत अपना पासवर्ड बदलें: इससे बाक़ी सब जगह से साइन आउट हो जाता है। फिर '
		'उन्हें बताएँ जो क्लिनिक में खाते सँभालते हैं।'),
	('hi', 'sign_in_subject', 'नए डिवाइस से साइन इन: {{account}}'),
	('hi', 'sign_in_time', 'समय'),
	('hi', 'sign_in_unknown', 'अज्ञात'),
	('hi', 'sign_in_what', 'आपके खाते {{account}} में एक ऐसे डिवाइस से साइन इन हुआ, '
		'जिससे पहले नहीं हुआ था।'),
	('hi', 'title_arrived', 'आपका चेक-इन हो गया है'),
	('hi', 'title_bad', 'यह लिंक काम नहीं करता'),
	('hi', 'title_booked', 'आपका अपॉइंटमेंट बुक है'),
	('hi', 'title_cancelled', 'आपका अपॉइंटमेंट रद्द हो गया है'),
	('hi', 'title_confirmed', 'आपके आने की पुष्टि हो गई है'),
	('hi', 'title_ended', 'इस लिंक का समय समाप्त हो गया है'),
	('hi', 'title_moved', 'आपके अपॉइंटमेंट का समय बदल गया है'),
	('hi', 'title_offer_declined', 'आपने यह समय नहीं लिया'),
	('hi', 'title_offer_over', 'यह समय अब नहीं रखा है'),
	('hi', 'title_over', 'इस अपॉइंटमेंट का समय बीत गया है'),
	('hi', 'title_unsubscribed', 'याद दिलाने वाले संदेश बंद हो गए हैं'),
	('hi', 'weekday_1', 'सोमवार'),
	('hi', 'weekday_2', 'मंगलवार'),
	('hi', 'weekday_3', 'बुधवार'),
	('hi', 'weekday_4', 'गुरुवार'),
	('hi', 'weekday_5', 'शुक्रवार'),
	('hi', 'weekday_6', 'शनिवार'),
	('hi', 'weekday_7', 'रविवार')
ON CONFLICT DO NOTHING;
