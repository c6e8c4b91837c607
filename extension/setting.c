/*
 * setting.c
 *		The values of the settings, which module.c defines.
 */
#include "appt.h"

char	   *appt_clock_setting = NULL;
double		appt_zone_data_setting = 0;
char	   *appt_actor_setting = NULL;
bool		appt_notify_setting = true;
bool		appt_allow_drop_setting = false;
