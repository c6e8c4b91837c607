/*
 * mail.c
 *		What the relay's mails are measured against: libcurl's SMTP alone, a
 *		thread a connection, with mails of the size of a reminder.
 *
 *		mail URL COUNT CONNECTIONS
 *
 *		Prints "N SECONDS": how many were taken, and in what time.
 */
#include <pthread.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#define MAIL_BYTES	1400
#define MOST		64

/* A setopt that is refused is a fault of this program. */
#define SET(easy, option, value) \
	check(curl_easy_setopt(easy, option, value), #option)

static char mail[MAIL_BYTES + 1];
static const char *url;
static long each;

static void *run(void *unused);
static size_t on_read(char *bytes, size_t size, size_t n, void *read);
static size_t ignore(char *data, size_t size, size_t n, void *to);
static void check(CURLcode code, const char *what);
static double now_s(void);

int
main(int argc, char **argv)
{
	pthread_t	thread[MOST];
	int			connections;
	double		start;

	if (argc != 4 || (connections = atoi(argv[3])) < 1 || connections > MOST)
	{
		fprintf(stderr, "usage: mail URL COUNT CONNECTIONS\n");
		return 2;
	}
	url = argv[1];
	each = strtol(argv[2], NULL, 10) / connections;
	for (int i = 0; i < MAIL_BYTES; i++)
		mail[i] = i % 70 == 68 ? '\r' : i % 70 == 69 ? '\n' : 'x';
	curl_global_init(CURL_GLOBAL_DEFAULT);
	start = now_s();
	for (int i = 0; i < connections; i++)
		pthread_create(&thread[i], NULL, run, NULL);
	for (int i = 0; i < connections; i++)
		pthread_join(thread[i], NULL);
	printf("%ld %.6f\n", each * connections, now_s() - start);
	return 0;
}

static void *
run(void *unused)
{
	CURL	   *easy = curl_easy_init();
	struct curl_slist *to = curl_slist_append(NULL, "<p1@example.org>");
	size_t		read;

	(void) unused;
	SET(easy, CURLOPT_URL, url);
	SET(easy, CURLOPT_UPLOAD, 1L);
	SET(easy, CURLOPT_MAIL_FROM, "visits@clinic.example");
	SET(easy, CURLOPT_MAIL_RCPT, to);
	SET(easy, CURLOPT_READFUNCTION, on_read);
	SET(easy, CURLOPT_READDATA, &read);
	SET(easy, CURLOPT_WRITEFUNCTION, ignore);
	SET(easy, CURLOPT_INFILESIZE_LARGE, (curl_off_t) MAIL_BYTES);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	SET(easy, CURLOPT_TIMEOUT_MS, 30000L);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_PROXY, "");
	for (long i = 0; i < each; i++)
	{
		read = 0;
		check(curl_easy_perform(easy), "mail");
	}
	curl_easy_cleanup(easy);
	curl_slist_free_all(to);
	return NULL;
}

static size_t
on_read(char *bytes, size_t size, size_t n, void *data)
{
	size_t	   *read = data;
	size_t		left = MAIL_BYTES - *read;
	size_t		len = size * n < left ? size * n : left;

	memcpy(bytes, mail + *read, len);
	*read += len;
	return len;
}

static size_t
ignore(char *data, size_t size, size_t n, void *to)
{
	(void) data;
	(void) to;
	return size * n;
}

static void
check(CURLcode code, const char *what)
{
	if (code == CURLE_OK)
		return;
	fprintf(stderr, "%s: %s\n", what, curl_easy_strerror(code));
	exit(1);
}

static double
now_s(void)
{
	struct timespec now;

	clock_gettime(CLOCK_MONOTONIC, &now);
	return (double) now.tv_sec + (double) now.tv_nsec / 1e9;
}
