/*
 * mailer.c
 *		E-mails under way, by SMTP: a thread a connection.
 *
 *		libcurl's SMTP may block within its multi interface, and a mail server
 *		that does not answer must hold up nothing else: so each mail is sent by
 *		a thread that does nothing else, with a handle of its own that keeps
 *		its connection for the next.  A message belongs to its thread from when
 *		it is taken until the loop hears of it.
 *
 *		Only a server's 2xx after the mail's end counts.  Where the connection
 *		was lost before, nobody knows whether the server has it: it is sent
 *		again, under the same Message-ID.
 *
 *		A server that refuses us before it was told the recipient (its greeting,
 *		EHLO, STARTTLS, the password, the sender) has said nothing of the mail,
 *		which has no status then: that is the channel's fault, and the mail can
 *		wait.
 *
 *		While there are more mails to send, the loop hears of those that are
 *		through some at a time: waking it for each costs more than the rest of
 *		what is done for it here.
 */
#include "relay/mailer.h"

#include <pthread.h>
#include <stdlib.h>
#include <string.h>
#include <sys/socket.h>
#include <sys/timerfd.h>
#include <time.h>
#include <unistd.h>

#include "common/clock.h"
#include "common/loop.h"
#include "common/utf8.h"
#include "relay/calendar.h"
#include "relay/mime.h"
#include "relay/settings.h"

#define IDLE_MAX_S		20		/* servers end what was idle for longer */
#define SERVER_CLOSES	421		/* what it says of itself */
#define MAIL_TOO_LARGE	552		/* what it says of a mail to its sender */
#define REPLY_MAX		512		/* of the server's last reply, kept */
#define TOGETHER_MS		5		/* in which mails are through that are told */

/* curl_easy_setopt fails by a mistake in this program alone. */
#define SET(easy, option, value) \
	do { \
		if (curl_easy_setopt((easy), (option), (value)) != CURLE_OK) \
			abort(); \
	} while (0)

/* One mail of a thread. */
typedef struct Sending
{
	Message    *message;
	Buf			mail;
	size_t		read;			/* by libcurl, of the mail */
	Buf			reply;			/* by which the server refuses; or empty */
	GuardScheme scheme;
	bool		refused;		/* by the guard */
	bool		opened;			/* a connection, for this mail */
	bool		begun;			/* signed in: the sender is told next */
	bool		addressed;		/* the server was told the recipient */
} Sending;

static pthread_mutex_t lock = PTHREAD_MUTEX_INITIALIZER;
static pthread_cond_t wanted = PTHREAD_COND_INITIALIZER;
static MessageList waiting = {0};	/* under the lock, both */
static MessageList finished = {0};
static Watch done_watch = {.fd = -1};
static void (*mailer_done) (Message *message);

static void *mailer_thread(void *unused);
static CURL *handle_for(CURL *easy, Buf *security, const char *asked);
static Message *next_message(void);
static void give_back(Message *message);
static void done_ready(Watch *watch, uint32_t events);
static void send_mail(CURL *easy, Message *message);
static CURLcode perform(CURL *easy, Sending *sending);
static bool was_gone(CURL *easy, const Sending *sending, CURLcode code);
static bool was_offered(const Sending *sending);
static void options(CURL *easy);
static void write_mail(Buf *out, const Message *message);
static void write_calendar(Buf *out, const Message *message);
static void learn(Sending *sending, CURL *easy, CURLcode code);
static size_t on_read(char *bytes, size_t size, size_t count, void *sending);
static size_t on_reply(char *bytes, size_t size, size_t count, void *sending);
static int	on_begin(void *sending, char *to, char *from, int to_port,
					 int from_port);
static curl_socket_t on_open_socket(void *sending, curlsocktype purpose,
									struct curl_sockaddr *address);

/* Starts the threads; done is told, on the loop, of every mail given. */
void
mailer_open(void (*done) (Message *message))
{
	int			i;
	int			fd = timerfd_create(CLOCK_MONOTONIC,
									TFD_NONBLOCK | TFD_CLOEXEC);

	if (fd < 0)
		abort();
	mailer_done = done;
	done_watch.ready = done_ready;
	loop_watch(&done_watch, fd, EPOLLIN);
	for (i = 0; i < settings.mail_connections; i++)
	{
		pthread_t	thread;

		if (pthread_create(&thread, NULL, mailer_thread, NULL) != 0)
			abort();
		pthread_detach(thread);
	}
}

/* Takes a mail that is to be sent. */
void
mailer_send(Message *message)
{
	pthread_mutex_lock(&lock);
	message_push(&waiting, message);
	pthread_cond_signal(&wanted);
	pthread_mutex_unlock(&lock);
}

/* Gives back, on the loop, what waits and was not begun. */
void
mailer_stop(void)
{
	MessageList list;
	Message    *message;

	pthread_mutex_lock(&lock);
	list = waiting;
	waiting = (MessageList) {0};
	pthread_mutex_unlock(&lock);
	while ((message = message_pop(&list)) != NULL)
		mailer_done(message);
}

/* Sends one mail after the other, for ever. */
static void *
mailer_thread(void *unused)
{
	Buf			security = {0};
	CURL	   *easy = NULL;

	(void) unused;
	for (;;)
	{
		Message    *message = next_message();

		/* One that could outlive its lease is left to whoever has it next. */
		if (message->lease_end_ms - clock_ms() >= settings.mail_timeout_ms)
		{
			easy = handle_for(easy, &security,
							  message_text(message, MESSAGE_SECURITY));
			send_mail(easy, message);
		}
		give_back(message);
	}
	return NULL;
}

/*
 * The handle, or a new one if the last mail's security was another: libcurl
 * would send by the connection that is kept, which may be without TLS.
 */
static CURL *
handle_for(CURL *easy, Buf *security, const char *asked)
{
	if (easy != NULL && strcmp(buf_get(security), asked) == 0)
		return easy;
	curl_easy_cleanup(easy);
	easy = curl_easy_init();
	if (easy == NULL)
		abort();
	options(easy);
	buf_clear(security);
	buf_text(security, asked);
	return easy;
}

/* Waits for a mail. */
static Message *
next_message(void)
{
	Message    *message;

	pthread_mutex_lock(&lock);
	while ((message = message_pop(&waiting)) == NULL)
		pthread_cond_wait(&wanted, &lock);
	pthread_mutex_unlock(&lock);
	return message;
}

/* Lets the loop hear of it: at once where no mail waits to be sent. */
static void
give_back(Message *message)
{
	struct itimerspec soon = {.it_value.tv_nsec = TOGETHER_MS * 1000000};

	pthread_mutex_lock(&lock);
	message_push(&finished, message);
	if (waiting.count == 0)
		soon.it_value.tv_nsec = 1;
	if ((finished.count == 1 || waiting.count == 0) &&
		timerfd_settime(done_watch.fd, 0, &soon, NULL) != 0)
		abort();
	pthread_mutex_unlock(&lock);
}

/* On the loop: mails are through. */
static void
done_ready(Watch *watch, uint32_t events)
{
	MessageList list;
	Message    *message;
	uint64_t	count;

	(void) events;
	if (read(watch->fd, &count, sizeof(count)) != sizeof(count))
		return;
	pthread_mutex_lock(&lock);
	list = finished;
	finished = (MessageList) {0};
	pthread_mutex_unlock(&lock);
	while ((message = message_pop(&list)) != NULL)
		mailer_done(message);
}

/* Sends it and writes what came of it. */
static void
send_mail(CURL *easy, Message *message)
{
	const char *security = message_text(message, MESSAGE_SECURITY);
	Sending		sending = {
		.message = message,
		.scheme = strcmp(security, "none") == 0 ? GUARD_HTTP : GUARD_HTTPS,
	};
	int64_t		started_ms = clock_ms();
	CURLcode	code;

	message->outcome.started_at = transfer_clock();
	if (!mime_is_address(message_text(message, MESSAGE_SENDER)) ||
		!mime_is_address(message_text(message, MESSAGE_RECIPIENT)))
	{
		message->outcome.error = "an address cannot be one of a mail";
		message->outcome.status = 553;
		return;
	}
	write_mail(&sending.mail, message);
	code = perform(easy, &sending);
	learn(&sending, easy, code);
	message->outcome.duration_ms = (int) (clock_ms() - started_ms);
	buf_free(&sending.mail);
	buf_free(&sending.reply);
}

/*
 * The transfer.  Where the server had ended the connection that was kept, it
 * is sent over another at once: nothing of the mail had gone.
 */
static CURLcode
perform(CURL *easy, Sending *sending)
{
	const Message *message = sending->message;
	const char *security = message_text(message, MESSAGE_SECURITY);
	Buf			recipient = {0};
	struct curl_slist recipients = {0};
	CURLcode	code;

	buf_printf(&recipient, "<%s>", message_text(message, MESSAGE_RECIPIENT));
	recipients.data = recipient.data;
	SET(easy, CURLOPT_URL, message_text(message, MESSAGE_URL));
	SET(easy, CURLOPT_USE_SSL, strcmp(security, "starttls") == 0
		? (long) CURLUSESSL_ALL : (long) CURLUSESSL_NONE);
	SET(easy, CURLOPT_USERNAME,
		message_text_or_null(message, MESSAGE_USERNAME));
	SET(easy, CURLOPT_PASSWORD, message_text_or_null(message, MESSAGE_SECRET));
	SET(easy, CURLOPT_MAIL_FROM, message_text(message, MESSAGE_SENDER));
	SET(easy, CURLOPT_MAIL_RCPT, &recipients);
	SET(easy, CURLOPT_OPENSOCKETDATA, sending);
	SET(easy, CURLOPT_HEADERDATA, sending);
	SET(easy, CURLOPT_PREREQDATA, sending);
	SET(easy, CURLOPT_READDATA, sending);
	SET(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) sending->mail.len);
	code = curl_easy_perform(easy);
	if (was_gone(easy, sending, code))
	{
		buf_clear(&sending->reply);
		sending->begun = false;
		sending->addressed = false;
		SET(easy, CURLOPT_FRESH_CONNECT, 1L);
		code = curl_easy_perform(easy);
		SET(easy, CURLOPT_FRESH_CONNECT, 0L);
	}
	SET(easy, CURLOPT_MAIL_RCPT, NULL);
	buf_free(&recipient);
	return code;
}

/* Whether the server had ended the connection that was kept. */
static bool
was_gone(CURL *easy, const Sending *sending, CURLcode code)
{
	long		status = 0;

	if (curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		abort();
	return (code == CURLE_SEND_ERROR || code == CURLE_RECV_ERROR ||
			code == CURLE_GOT_NOTHING) &&
		!sending->opened && !sending->refused && sending->read == 0 &&
		(status == 0 || status == SERVER_CLOSES);
}

/* What is the same for every mail. */
static void
options(CURL *easy)
{
	SET(easy, CURLOPT_PROTOCOLS_STR, "smtp,smtps");
	SET(easy, CURLOPT_PROXY, "");
	SET(easy, CURLOPT_NETRC, (long) CURL_NETRC_IGNORED);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_UPLOAD, 1L);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, (long) settings.connect_timeout_ms);
	SET(easy, CURLOPT_TIMEOUT_MS, (long) settings.mail_timeout_ms);
	SET(easy, CURLOPT_MAXAGE_CONN, (long) IDLE_MAX_S);
	SET(easy, CURLOPT_SSL_VERIFYPEER, 1L);
	SET(easy, CURLOPT_SSL_VERIFYHOST, 2L);
	SET(easy, CURLOPT_SSLVERSION, (long) CURL_SSLVERSION_TLSv1_2);
	if (settings.ca_file[0] != '\0')
		SET(easy, CURLOPT_CAINFO, settings.ca_file);
	SET(easy, CURLOPT_OPENSOCKETFUNCTION, on_open_socket);
	SET(easy, CURLOPT_HEADERFUNCTION, on_reply);
	SET(easy, CURLOPT_PREREQFUNCTION, on_begin);
	SET(easy, CURLOPT_READFUNCTION, on_read);
}

/* The message as a mail. */
static void
write_mail(Buf *out, const Message *message)
{
	Buf			calendar = {0};
	const char *method = message_text_or_null(message, CALENDAR_METHOD);

	if (method != NULL)
		write_calendar(&calendar, message);
	mime_write(out, &(Mail) {
		.sender = message_text(message, MESSAGE_SENDER),
		.sender_name = message_text_or_null(message, MESSAGE_SENDER_NAME),
		.reply_to = message_text_or_null(message, MESSAGE_REPLY_TO),
		.recipient = message_text(message, MESSAGE_RECIPIENT),
		.recipient_name = message_text(message, MESSAGE_RECIPIENT_NAME),
		.subject = message_text(message, MESSAGE_SUBJECT),
		.message_id = message_text(message, MESSAGE_ID),
		.language = message_text_or_null(message, MESSAGE_LANGUAGE),
		.unsubscribe = message_text_or_null(message, MESSAGE_UNSUBSCRIBE),
		.text = message_text(message, MESSAGE_BODY),
		.method = method,
		.calendar = method != NULL ? buf_get(&calendar) : NULL,
		.date = time(NULL),
	});
	buf_free(&calendar);
}

/* Its visit as a calendar has it. */
static void
write_calendar(Buf *out, const Message *message)
{
	calendar_write(out, &(CalendarEntry) {
		.method = message_text(message, CALENDAR_METHOD),
		.uid = message_text(message, CALENDAR_UID),
		.sequence = message_text(message, CALENDAR_SEQUENCE),
		.start = message_text(message, CALENDAR_START),
		.end = message_text(message, CALENDAR_END),
		.stamp = message_text(message, CALENDAR_STAMP),
		.summary = message_text(message, CALENDAR_SUMMARY),
		.location = message_text(message, CALENDAR_LOCATION),
		.description = message_text(message, CALENDAR_DESCRIPTION),
		.organizer = message_text(message, MESSAGE_SENDER),
		.organizer_name = message_text_or_null(message, MESSAGE_SENDER_NAME),
		.attendee = message_text(message, MESSAGE_RECIPIENT),
		.attendee_name = message_text(message, MESSAGE_RECIPIENT_NAME),
	});
}

/* What came of it: the server's last reply, where it was one that refuses. */
static void
learn(Sending *sending, CURL *easy, CURLcode code)
{
	Outcome    *outcome = &sending->message->outcome;
	long		status = 0;

	if (curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status) != CURLE_OK)
		abort();
	outcome->refused = sending->refused && !sending->opened;
	if (code == CURLE_OK)
	{
		outcome->status = (int) status;
		return;
	}
	/* 2xx and 3xx are steps on the way, none of which says more. */
	outcome->error = outcome->refused
		? "the mail server's address is not allowed"
		: transfer_failure(easy, code);
	if (was_offered(sending))
		outcome->status = (int) strtol(buf_get(&sending->reply), NULL, 10);
	utf8_clean(&outcome->answer, buf_get(&sending->reply),
			   sending->reply.len);
}

/*
 * Whether a failure may be one of the mail: its recipient was told, or the
 * sender refused for the size of the mail, which libcurl announces with it.
 */
static bool
was_offered(const Sending *sending)
{
	return sending->addressed ||
		strtol(buf_get(&sending->reply), NULL, 10) == MAIL_TOO_LARGE;
}

/* libcurl wants more of the mail. */
static size_t
on_read(char *bytes, size_t size, size_t count, void *data)
{
	Sending    *sending = data;
	size_t		left = sending->mail.len - sending->read;
	size_t		len = size * count < left ? size * count : left;

	memcpy(bytes, sending->mail.data + sending->read, len);
	sending->read += len;
	return len;
}

/*
 * A line of the server's: the last by which it refuses is kept.  Of a mail it
 * says first whether it takes the sender; libcurl tells it the recipient then.
 * A reply's last line is the one that counts, and after a refusal only QUIT's
 * comes.
 */
static size_t
on_reply(char *bytes, size_t size, size_t count, void *data)
{
	Sending    *sending = data;
	size_t		len = size * count;
	size_t		kept = len < REPLY_MAX ? len : REPLY_MAX;

	if (len < 4)
		return len;
	if (sending->begun && sending->reply.len == 0 && bytes[0] == '2' &&
		bytes[3] != '-')
		sending->addressed = true;
	if (bytes[0] != '4' && bytes[0] != '5')
		return len;
	while (kept > 0 && (bytes[kept - 1] == '\n' || bytes[kept - 1] == '\r'))
		kept--;
	buf_clear(&sending->reply);
	buf_add(&sending->reply, bytes, kept);
	return len;
}

/* The connection is ready for a mail: what is said from now on is of it. */
static int
on_begin(void *data, char *to, char *from, int to_port, int from_port)
{
	Sending    *sending = data;

	(void) to;
	(void) from;
	(void) to_port;
	(void) from_port;
	sending->begun = true;
	buf_clear(&sending->reply);
	return CURL_PREREQFUNC_OK;
}

/* The guard: called with every address that libcurl is about to try. */
static curl_socket_t
on_open_socket(void *data, curlsocktype purpose, struct curl_sockaddr *address)
{
	Sending    *sending = data;

	if (purpose != CURLSOCKTYPE_IPCXN ||
		!guard_permits(&address->addr, sending->scheme))
	{
		sending->refused = true;
		return CURL_SOCKET_BAD;
	}
	sending->opened = true;
	return socket(address->family, address->socktype | SOCK_CLOEXEC,
				  address->protocol);
}
