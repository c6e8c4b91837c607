/*
 * keymaker.h
 *		Makes an RSA key in a thread of its own: that takes a tenth of a second,
 *		or several on a busy machine, which a loop does not have.
 */
#ifndef APPT_KEYMAKER_H
#define APPT_KEYMAKER_H

#include <stdbool.h>

#include "http/keys.h"

typedef struct KeyMaker KeyMaker;

extern KeyMaker *keymaker_start(void);
extern bool keymaker_is_done(const KeyMaker *maker);
extern const char *keymaker_kid(const KeyMaker *maker);
extern const char *keymaker_pem(const KeyMaker *maker);
extern void keymaker_free(KeyMaker *maker);

#endif							/* APPT_KEYMAKER_H */
