#!/bin/bash
# fresh.sh [db]: a database with the extension as installed now
cd /tmp/rest-dev; db=${1:-d}
./pg.sh psql -q -d postgres -c "drop database if exists $db with (force)" -c "create database $db"
./pg.sh psql -q -d $db -c "set client_min_messages=error; create extension bioecko_appt cascade"
