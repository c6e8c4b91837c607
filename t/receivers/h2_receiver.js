// A receiver by HTTP/2 alone: h2_receiver.js PORT CERTIFICATE KEY LOG
// Answers every POST with 200 after 200 ms and adds the connection's number
// and the path to LOG.
'use strict';
const fs = require('node:fs');
const http2 = require('node:http2');
const [port, certificate, key, log] = process.argv.slice(2);
let connections = 0;

const server = http2.createSecureServer({
    cert: fs.readFileSync(certificate),
    key: fs.readFileSync(key),
});
server.on('session', (session) => {
    connections += 1;
    const number = connections;
    session.on('stream', (stream, headers) => {
        stream.resume();
        stream.on('end', () => setTimeout(() => {
            fs.appendFileSync(log, `${number} ${headers[':path']}\n`);
            stream.respond({ ':status': 200 });
            stream.end('ok\n');
        }, 200));
    });
});
server.listen(Number(port), '127.0.0.1');
