/*
 * ReadReports JDBC-URL
 *
 * Reads appt_report as a Java tool does: finds the views by the driver's
 * metadata, reads every column as the object that the driver makes of it, and
 * asks one question with parameters. Prints what it saw, one line a column:
 *
 *   view|column|class of the object
 *   rows|view|number
 *   answer|...
 */

import java.sql.Connection;
import java.sql.Date;
import java.sql.DriverManager;
import java.sql.PreparedStatement;
import java.sql.ResultSet;
import java.sql.ResultSetMetaData;
import java.sql.SQLException;
import java.sql.Statement;
import java.util.ArrayList;
import java.util.List;

public class ReadReports {
    public static void main(String[] args) throws SQLException {
        try (Connection db = DriverManager.getConnection(args[0])) {
            db.setReadOnly(true);
            for (String view : views(db)) {
                readAll(db, view);
            }
            ask(db);
        }
    }

    private static List<String> views(Connection db) throws SQLException {
        List<String> names = new ArrayList<>();
        try (ResultSet found = db.getMetaData().getTables(
                null, "appt_report", "%", new String[] {"VIEW"})) {
            while (found.next()) {
                names.add(found.getString("TABLE_NAME"));
            }
        }
        return names;
    }

    private static void readAll(Connection db, String view)
            throws SQLException {
        try (Statement query = db.createStatement();
                ResultSet rows = query.executeQuery(
                        "SELECT * FROM appt_report." + view)) {
            ResultSetMetaData about = rows.getMetaData();
            int columns = about.getColumnCount();
            int count = 0;

            for (int i = 1; i <= columns; i++) {
                System.out.println(view + "|" + about.getColumnName(i) + "|"
                        + about.getColumnClassName(i));
            }
            while (rows.next()) {
                for (int i = 1; i <= columns; i++) {
                    rows.getObject(i);
                }
                count++;
            }
            System.out.println("rows|" + view + "|" + count);
        }
    }

    private static void ask(Connection db) throws SQLException {
        try (PreparedStatement query = db.prepareStatement(
                "SELECT visit_date, start_local, slot_start, doctor_name,"
                + " length_min, is_walk_in, status"
                + " FROM appt_report.appointment"
                + " WHERE doctor_id = ? AND visit_date BETWEEN ? AND ?"
                + " ORDER BY slot_start, token_number LIMIT 1")) {
            query.setString(1, "DOC-001");
            query.setDate(2, Date.valueOf("2026-02-02"));
            query.setDate(3, Date.valueOf("2026-02-28"));
            try (ResultSet row = query.executeQuery()) {
                row.next();
                System.out.println("answer|" + row.getDate(1) + "|"
                        + row.getTimestamp(2).toLocalDateTime() + "|"
                        + row.getTimestamp(3).toInstant() + "|"
                        + row.getString(4) + "|" + row.getInt(5) + "|"
                        + row.getBoolean(6) + "|" + row.getString(7));
            }
        }
    }
}
