#!/usr/bin/python3
"""libreoffice_report.py DIRECTORY CONNECTION SQL

Does by LibreOffice what a person does there by mouse: makes a Base file
(clinic.odb) for the connection, has Calc import a query from it into a sheet,
and saves the sheet (report.ods, report.csv) in the directory.
CONNECTION is what the dialogue asks for: "dbname=appt host=... user=...".
"""

import os
import subprocess
import sys
import time

import uno
from com.sun.star.beans import PropertyValue
from com.sun.star.connection import NoConnectException
from com.sun.star.sheet.DataImportMode import SQL

DEADLINE_S = 120


def prop(name, value):
    return PropertyValue(Name=name, Value=value)


def start_office(directory):
    """A LibreOffice of our own: its pipe, its profile, its process."""
    pipe = f"appt{os.getpid()}"
    process = subprocess.Popen([
        "soffice", "--headless", "--norestore", "--nologo", "--nodefault",
        f"-env:UserInstallation=file://{directory}/profile",
        f"--accept=pipe,name={pipe};urp;"])
    local = uno.getComponentContext()
    resolver = local.ServiceManager.createInstanceWithContext(
        "com.sun.star.bridge.UnoUrlResolver", local)
    until = time.monotonic() + DEADLINE_S
    while True:
        try:
            return process, resolver.resolve(
                f"uno:pipe,name={pipe};urp;StarOffice.ComponentContext")
        except NoConnectException:
            if time.monotonic() > until:
                process.terminate()
                raise
            time.sleep(0.1)


def make_database(context, url, connection):
    sources = context.ServiceManager.createInstanceWithContext(
        "com.sun.star.sdb.DatabaseContext", context)
    source = sources.createInstance()
    source.URL = "sdbc:postgresql:" + connection
    source.DatabaseDocument.storeAsURL(url, ())
    tables = source.getConnection("", "").getTables().getElementNames()
    for name in sorted(tables):
        if name.startswith("appt_report."):
            print(name)


def import_into_sheet(desktop, database_url, sql, directory):
    sheet = desktop.loadComponentFromURL(
        "private:factory/scalc", "_blank", 0, (prop("Hidden", True),))
    first = sheet.Sheets.getByIndex(0).getCellRangeByName("A1")
    first.doImport((
        prop("DatabaseName", database_url),
        prop("SourceType", SQL),
        prop("SourceObject", sql)))
    sheet.storeAsURL(f"file://{directory}/report.ods", ())
    sheet.storeToURL(f"file://{directory}/report.csv", (
        prop("FilterName", "Text - txt - csv (StarCalc)"),
        prop("FilterOptions", "44,34,76,1")))
    sheet.close(True)


def main():
    directory, connection, sql = sys.argv[1:]
    process, context = start_office(directory)
    try:
        desktop = context.ServiceManager.createInstanceWithContext(
            "com.sun.star.frame.Desktop", context)
        database_url = f"file://{directory}/clinic.odb"
        make_database(context, database_url, connection)
        import_into_sheet(desktop, database_url, sql, directory)
        desktop.terminate()
    finally:
        try:
            process.wait(30)
        except subprocess.TimeoutExpired:
            process.terminate()


main()
