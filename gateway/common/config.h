/*
 * config.h
 *		One table of options: environment variable, flag, default, meaning.
 *		--help prints the same table.
 *
 * A flag counts before the environment, that before the default.  A secret
 * has no flag: a command line can be read by every user of the machine.
 */
#ifndef APPT_CONFIG_H
#define APPT_CONFIG_H

#include <stddef.h>

typedef enum ConfigKind
{
	CONFIG_TEXT,				/* target: const char ** */
	CONFIG_SECRET,				/* target: const char **; environment only */
	CONFIG_INT,					/* target: int *, within [min, max] */
	CONFIG_BOOL,				/* target: bool *; on/off/true/false/1/0 */
} ConfigKind;

typedef struct ConfigOption
{
	const char *env;			/* APPT_LISTEN */
	const char *flag;			/* "listen" for --listen; NULL: none */
	ConfigKind	kind;
	void	   *target;
	const char *fallback;		/* NULL: must be given */
	int			min;
	int			max;
	const char *help;
} ConfigOption;

typedef enum ConfigOutcome
{
	CONFIG_RUN,					/* go on */
	CONFIG_DONE,				/* --help or --version was answered: exit 0 */
	CONFIG_BAD,					/* said why on stderr: exit 2 */
} ConfigOutcome;

typedef struct ConfigProgram
{
	const char *name;			/* bioecko-gateway */
	const char *purpose;		/* one sentence for --help */
	const ConfigOption *options;
	size_t		count;
} ConfigProgram;

extern ConfigOutcome config_load(const ConfigProgram *program,
								 int argc, char **argv)
			__attribute__((warn_unused_result));

#endif							/* APPT_CONFIG_H */
