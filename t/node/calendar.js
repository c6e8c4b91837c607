// A calendar (ical.js) that gets iTIP messages, one JSON line {ics, attendee}
// each, in the order of their arrival, and answers one line each: the entries
// that it has then, as a reader sees them, and the REPLY (RFC 5546, 3.2.3) by
// which the attendee accepts.
'use strict';
const readline = require('node:readline');
const ICAL = require('ical.js');

const entries = new Map();

// What RFC 5546 asks of a calendar: the newer of one UID counts.
function take(method, event) {
    const known = entries.get(event.uid);
    if (known && event.sequence < known.sequence) {
        return 'older';
    }
    if (method === 'CANCEL') {
        if (!known) {
            return 'unknown';
        }
        entries.delete(event.uid);
        return 'removed';
    }
    entries.set(event.uid, event);
    return known ? 'updated' : 'added';
}

function reply(component, event, attendee) {
    const answer = new ICAL.Component('vcalendar');
    answer.addPropertyWithValue('prodid', '-//test//test//EN');
    answer.addPropertyWithValue('version', '2.0');
    answer.addPropertyWithValue('method', 'REPLY');
    const inner = new ICAL.Component('vevent');
    for (const name of ['uid', 'sequence', 'dtstart', 'organizer']) {
        const property = component.getFirstProperty(name);
        inner.addProperty(ICAL.Property.fromString(property.toICALString()));
    }
    inner.addPropertyWithValue('dtstamp', ICAL.Time.now());
    const me = event.attendees.find((person) =>
        person.getFirstValue().toLowerCase() ===
            `mailto:${attendee}`.toLowerCase());
    if (!me) {
        return null;
    }
    const mine = ICAL.Property.fromString(me.toICALString());
    mine.setParameter('partstat', 'ACCEPTED');
    inner.addProperty(mine);
    answer.addSubcomponent(inner);
    return answer.toString();
}

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const { ics, attendee } = JSON.parse(line);
    const calendar = new ICAL.Component(ICAL.parse(ics));
    const component = calendar.getFirstSubcomponent('vevent');
    const event = new ICAL.Event(component);
    const method = calendar.getFirstPropertyValue('method');
    const done = take(method, event);
    console.log(JSON.stringify({
        method, done,
        event: {
            uid: event.uid, sequence: event.sequence, summary: event.summary,
            location: event.location, description: event.description,
            zone: event.startDate.zone.tzid,
            status: component.getFirstPropertyValue('status'),
            organizer: event.organizer,
            attendees: event.attendees.map((p) => p.getFirstValue()),
            names: event.attendees.map((p) => p.getParameter('cn')),
        },
        calendar: [...entries.values()].map((e) => ({
            uid: e.uid, start: e.startDate.toJSDate().toISOString(),
            end: e.endDate.toJSDate().toISOString(),
        })),
        reply: reply(component, event, attendee),
    }));
});
