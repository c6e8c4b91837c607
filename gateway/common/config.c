/*
 * config.c
 *		Reads a program's options from flags and the environment.
 */
#include "common/config.h"

#include <errno.h>
#include <limits.h>
#include <stdbool.h>
#include <stdio.h>
#include <stdlib.h>
#include <string.h>
#include <strings.h>

static void config_help(const ConfigProgram *program);
static void config_wrap(const char *text);
static bool config_defaults(const ConfigProgram *program);
static bool config_flags(const ConfigProgram *program, int argc, char **argv);
static bool config_complete(const ConfigProgram *program);
static bool config_set(const ConfigOption *option, const char *value,
					   const char *origin);
static const ConfigOption *config_find(const ConfigProgram *program,
									   const char *flag, size_t len);
static bool config_int(const ConfigOption *option, const char *value);
static bool config_bool(const ConfigOption *option, const char *value);

/*
 * Fills the targets of the program's options.  What is wrong is said on
 * stderr in a sentence.  Values point into argv or the environment.
 */
ConfigOutcome
config_load(const ConfigProgram *program, int argc, char **argv)
{
	int			i;

	for (i = 1; i < argc; i++)
	{
		if (strcmp(argv[i], "--help") == 0)
		{
			config_help(program);
			return CONFIG_DONE;
		}
		if (strcmp(argv[i], "--version") == 0)
		{
			printf("%s %s\n", program->name, APPT_VERSION);
			return CONFIG_DONE;
		}
	}
	if (!config_defaults(program) || !config_flags(program, argc, argv) ||
		!config_complete(program))
		return CONFIG_BAD;
	return CONFIG_RUN;
}

/* Prints the table. */
static void
config_help(const ConfigProgram *program)
{
	size_t		i;

	printf("%s: %s\n\n"
		   "usage: %s [--flag=value]...\n\n"
		   "Every option is an environment variable; most are a flag too,\n"
		   "which then counts first.\n",
		   program->name, program->purpose, program->name);
	for (i = 0; i < program->count; i++)
	{
		const ConfigOption *option = &program->options[i];

		printf("\n  %s", option->env);
		if (option->flag != NULL)
			printf(", --%s", option->flag);
		printf("\n");
		config_wrap(option->help);
		if (option->kind == CONFIG_INT)
			printf("      a whole number from %d to %d\n",
				   option->min, option->max);
		if (option->kind == CONFIG_BOOL)
			printf("      on or off\n");
		if (option->fallback == NULL)
			printf("      must be set\n");
		else if (option->fallback[0] != '\0')
			printf("      default: %s\n", option->fallback);
	}
	printf("\n  --help, --version\n");
}

/* Prints a text, indented, in lines of a width that is pleasant to read. */
static void
config_wrap(const char *text)
{
	const int	width = 72;
	int			column = 0;

	while (*text != '\0')
	{
		int			len = (int) strcspn(text, " ");

		if (column > 0 && column + 1 + len > width)
		{
			printf("\n");
			column = 0;
		}
		printf("%s%.*s", column == 0 ? "      " : " ", len, text);
		column += len + 1;
		text += len + strspn(text + len, " ");
	}
	printf("\n");
}

/* Sets defaults, then what the environment says. */
static bool
config_defaults(const ConfigProgram *program)
{
	size_t		i;

	for (i = 0; i < program->count; i++)
	{
		const ConfigOption *option = &program->options[i];
		const char *value = getenv(option->env);

		if (value == NULL || value[0] == '\0')
			value = option->fallback;
		if (value != NULL && !config_set(option, value, option->env))
			return false;
	}
	return true;
}

/* Sets what the command line says: --flag=value or --flag value. */
static bool
config_flags(const ConfigProgram *program, int argc, char **argv)
{
	int			i;

	for (i = 1; i < argc; i++)
	{
		const char *arg = argv[i];
		size_t		len = strcspn(arg, "=");
		const ConfigOption *option = NULL;
		const char *value;

		if (strncmp(arg, "--", 2) == 0)
			option = config_find(program, arg + 2, len - 2);
		if (option == NULL)
		{
			fprintf(stderr, "%s: unknown option \"%.*s\"; see --help\n",
					program->name, (int) len, arg);
			return false;
		}
		if (arg[len] == '=')
			value = arg + len + 1;
		else if (option->kind == CONFIG_BOOL)
			value = "on";
		else if (i + 1 < argc)
			value = argv[++i];
		else
		{
			fprintf(stderr, "%s: option \"%s\" needs a value\n",
					program->name, arg);
			return false;
		}
		if (!config_set(option, value, arg))
			return false;
	}
	return true;
}

/* Whether every option that must be given is there. */
static bool
config_complete(const ConfigProgram *program)
{
	size_t		i;

	for (i = 0; i < program->count; i++)
	{
		const ConfigOption *option = &program->options[i];

		if (option->fallback != NULL || option->kind == CONFIG_INT ||
			option->kind == CONFIG_BOOL)
			continue;
		if (*(const char **) option->target == NULL)
		{
			fprintf(stderr, "%s: %s must be set: %s\n",
					program->name, option->env, option->help);
			return false;
		}
	}
	return true;
}

/* Stores one value; origin (variable or flag) is named when it is bad. */
static bool
config_set(const ConfigOption *option, const char *value, const char *origin)
{
	bool		fits = true;

	switch (option->kind)
	{
		case CONFIG_TEXT:
		case CONFIG_SECRET:
			*(const char **) option->target = value;
			break;
		case CONFIG_INT:
			fits = config_int(option, value);
			break;
		case CONFIG_BOOL:
			fits = config_bool(option, value);
			break;
	}
	if (!fits && option->kind == CONFIG_INT)
		fprintf(stderr, "%.*s: \"%s\" is not a whole number from %d to %d\n",
				(int) strcspn(origin, "="), origin, value,
				option->min, option->max);
	else if (!fits)
		fprintf(stderr, "%.*s: \"%s\" is neither on nor off\n",
				(int) strcspn(origin, "="), origin, value);
	return fits;
}

/* The option of that flag, or NULL. */
static const ConfigOption *
config_find(const ConfigProgram *program, const char *flag, size_t len)
{
	size_t		i;

	for (i = 0; i < program->count; i++)
	{
		const char *name = program->options[i].flag;

		if (name != NULL && program->options[i].kind != CONFIG_SECRET &&
			strlen(name) == len && strncmp(name, flag, len) == 0)
			return &program->options[i];
	}
	return NULL;
}

/* Stores a whole number in the option's range; false when it is none. */
static bool
config_int(const ConfigOption *option, const char *value)
{
	char	   *end;
	long		number;

	errno = 0;
	number = strtol(value, &end, 10);
	if (errno != 0 || end == value || *end != '\0' ||
		number < option->min || number > option->max)
		return false;
	*(int *) option->target = (int) number;
	return true;
}

/* Stores on or off; false when it is neither. */
static bool
config_bool(const ConfigOption *option, const char *value)
{
	static const char *const words[2][4] = {
		{"off", "false", "no", "0"},
		{"on", "true", "yes", "1"},
	};
	int			truth;
	int			i;

	for (truth = 0; truth < 2; truth++)
	{
		for (i = 0; i < 4; i++)
		{
			if (strcasecmp(value, words[truth][i]) == 0)
			{
				*(bool *) option->target = truth == 1;
				return true;
			}
		}
	}
	return false;
}
