/*
 * table.tsx
 *		A table that a narrow screen shows as cards, each value under its
 *		heading.
 */
import type { ComponentChildren } from "preact";

export interface Column<Row> {
    title: string;
    cell: (row: Row) => ComponentChildren;
    class?: string;
}

export function Table<Row>({ caption, columns, rows, id, rowClass }: {
    caption: string;
    columns: Column<Row>[];
    rows: Row[];
    id: (row: Row) => string;
    rowClass?: (row: Row) => string;
}) {
    return (
        <table class="table">
            <caption class="hidden">{caption}</caption>
            <thead>
                <tr>{columns.map((c) => <th key={c.title} scope="col" class={c.class}>{c.title}</th>)}</tr>
            </thead>
            <tbody>
                {rows.map((row) => (
                    <tr key={id(row)} class={rowClass?.(row)}>
                        {columns.map((c) => (
                            <td key={c.title} data-title={c.title} class={c.class}>{c.cell(row)}</td>
                        ))}
                    </tr>
                ))}
            </tbody>
        </table>
    );
}
