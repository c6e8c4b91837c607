NOTIFY bioecko_appt;
