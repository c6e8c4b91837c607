/*
 * caller.c
 *		On whose behalf a function runs, and what they may see.
 */
#include "schedule.h"

#include "miscadmin.h"

static bool is_among(const Caller *caller, int doctor_no);

/*
 * Whoever is connected: a role, with the name that bioecko_appt.actor adds to
 * it (a receptionist behind a shared role, say).  The role cannot be forged.
 */
Caller
caller_of_session(void)
{
	const char *role = GetUserNameFromId(GetOuterUserId(), false);
	bool		named = appt_actor_setting && appt_actor_setting[0] != '\0';

	return (Caller) {
		.actor = named
			? psprintf("role:%s/%s", role, appt_actor_setting)
			: psprintf("role:%s", role),
		.source = "sql"
	};
}

/* The patient, by a link that was sent to him. */
Caller
caller_of_link(void)
{
	return (Caller) {
		.actor = "patient link",
		.source = "web",
		.is_patient = true
	};
}

/*
 * An API client or a member of staff, as the gateway vouches for it: one that
 * exists and is active.  Call schedule_refresh() before.
 */
Caller
caller_of_client(const char *client_id)
{
	const Client *client;

	if (client_id == NULL)
		return caller_of_session();

	client = schedule_client(client_id);
	if (client == NULL &&
		strncmp(client_id, APPT_STAFF_PREFIX, strlen(APPT_STAFF_PREFIX)) == 0)
		ereport(ERROR,
				(APPT_ERRCODE(UNKNOWN_CLIENT),
				 errmsg("the account of staff is not known"),
				 errdetail("The account is disabled or deleted.")));
	if (client == NULL)
		ereport(ERROR,
				(APPT_ERRCODE(UNKNOWN_CLIENT),
				 errmsg("API client \"%s\" is not known", client_id),
				 errdetail("The API client is disabled or deleted.")));
	return (Caller) {
		.actor = client->actor,
		.source = "api",
		.client_id = client_id,
		.limited = client->limited,
		.branch_ids = client->branch_ids,
		.nbranch_ids = client->nbranch_ids,
		.some_doctors = client->some_doctors,
		.doctor_nos = client->doctor_nos,
		.ndoctor_nos = client->ndoctor_nos
	};
}

/* Whether the caller sees that branch, as all do who are not limited. */
bool
caller_sees(const Caller *caller, const char *branch_id)
{
	if (!caller->limited)
		return true;
	for (int i = 0; i < caller->nbranch_ids; i++)
	{
		if (strcmp(caller->branch_ids[i], branch_id) == 0)
			return true;
	}
	return false;
}

/* Whether it is at a branch and with a doctor whom the caller sees. */
bool
caller_sees_visit(const Caller *caller, const char *branch_id, int doctor_no)
{
	return caller_sees(caller, branch_id) && is_among(caller, doctor_no);
}

/*
 * A doctor is seen where he works; one who works nowhere, everywhere.  Who is
 * limited to some doctors sees no other.
 */
bool
caller_sees_doctor(const Caller *caller, const Doctor *doctor)
{
	if (!is_among(caller, doctor->doctor_no))
		return false;
	for (int i = 0; i < doctor->nhours; i++)
	{
		if (caller_sees(caller, doctor->hours[i].branch->branch_id))
			return true;
	}
	return doctor->nhours == 0;
}

/* Whether the doctor is one of those whom the caller is limited to. */
static bool
is_among(const Caller *caller, int doctor_no)
{
	if (!caller->some_doctors)
		return true;
	for (int i = 0; i < caller->ndoctor_nos; i++)
	{
		if (caller->doctor_nos[i] == doctor_no)
			return true;
	}
	return false;
}
