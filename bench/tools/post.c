/*
 * post.c
 *		What the relay is measured against: libcurl's multi interface alone,
 *		with requests like the relay's and nothing else to do.
 *
 *		post URL COUNT CONNECTIONS
 *
 *		Sends COUNT bodies of a booking's size over so many connections and
 *		prints "N SECONDS": how many were answered 2xx, and in what time.
 */
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <time.h>

#include <curl/curl.h>

#define BODY_BYTES	800

/* A setopt that is refused is a fault of this program. */
#define SET(easy, option, value) \
	check(curl_easy_setopt(easy, option, value), #option)

static char body[BODY_BYTES + 1];

static void check(CURLcode code, const char *what);
static CURL *make_request(const char *url, struct curl_slist *headers);
static struct curl_slist *make_headers(void);
static long finish_done(CURLM *multi, long *left);
static size_t ignore(char *data, size_t size, size_t n, void *to);
static double now_s(void);

int
main(int argc, char **argv)
{
	CURLM	   *multi = curl_multi_init();
	struct curl_slist *headers = make_headers();
	long		left,
				done = 0,
				count;
	int			connections,
				running;
	double		start;

	if (argc != 4)
	{
		fprintf(stderr, "usage: post URL COUNT CONNECTIONS\n");
		return 2;
	}
	count = strtol(argv[2], NULL, 10);
	connections = (int) strtol(argv[3], NULL, 10);
	memset(body, 'x', BODY_BYTES);
	curl_multi_setopt(multi, CURLMOPT_MAXCONNECTS, (long) connections);
	left = count - connections;
	for (int i = 0; i < connections; i++)
		curl_multi_add_handle(multi, make_request(argv[1], headers));

	start = now_s();
	do
	{
		curl_multi_perform(multi, &running);
		done += finish_done(multi, &left);
		if (done < count)
			curl_multi_poll(multi, NULL, 0, 1000, NULL);
	} while (done < count);
	printf("%ld %.6f\n", done, now_s() - start);
	return 0;
}

/* Takes answered requests out and sends the next ones; how many were there. */
static long
finish_done(CURLM *multi, long *left)
{
	CURLMsg    *message;
	int			queued;
	long		done = 0;

	while ((message = curl_multi_info_read(multi, &queued)) != NULL)
	{
		CURL	   *easy = message->easy_handle;
		long		status = 0;

		curl_easy_getinfo(easy, CURLINFO_RESPONSE_CODE, &status);
		if (message->data.result != CURLE_OK || status / 100 != 2)
		{
			fprintf(stderr, "answer %ld: %s\n", status,
					curl_easy_strerror(message->data.result));
			exit(1);
		}
		done++;
		curl_multi_remove_handle(multi, easy);
		if (*left > 0)
		{
			(*left)--;
			curl_multi_add_handle(multi, easy);
		}
	}
	return done;
}

static CURL *
make_request(const char *url, struct curl_slist *headers)
{
	CURL	   *easy = curl_easy_init();

	SET(easy, CURLOPT_URL, url);
	SET(easy, CURLOPT_POSTFIELDS, body);
	SET(easy, CURLOPT_POSTFIELDSIZE, (long) BODY_BYTES);
	SET(easy, CURLOPT_HTTPHEADER, headers);
	SET(easy, CURLOPT_WRITEFUNCTION, ignore);
	SET(easy, CURLOPT_CONNECTTIMEOUT_MS, 5000L);
	SET(easy, CURLOPT_TIMEOUT_MS, 15000L);
	SET(easy, CURLOPT_NOSIGNAL, 1L);
	SET(easy, CURLOPT_PROXY, "");
	return easy;
}

/* As long as the relay's. */
static struct curl_slist *
make_headers(void)
{
	static const char *const lines[] = {
		"Content-Type: application/json",
		"X-Bio-Ecko-Signature: 0123456789abcdef0123456789abcdef0123456789abcdef0123456789abcdef",
		"webhook-id: evt_0123456789abcdefghijkl",
		"webhook-timestamp: 1700000000",
		"webhook-signature: v1,0123456789abcdef0123456789abcdef0123456789a=",
		"User-Agent: bioecko-relay/1.0"
	};
	struct curl_slist *headers = NULL;

	for (size_t i = 0; i < sizeof(lines) / sizeof(lines[0]); i++)
		headers = curl_slist_append(headers, lines[i]);
	return headers;
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
