// Reads {secret, headers, body} as one JSON line each and answers one line
// each: which library accepts the delivery, and what the others say.
'use strict';
const readline = require('node:readline');
const libraries = {
    standardwebhooks: require('standardwebhooks').Webhook,
    svix: require('svix').Webhook,
};

readline.createInterface({ input: process.stdin }).on('line', (line) => {
    const { secret, headers, body } = JSON.parse(line);
    const verdict = {};
    for (const [name, Webhook] of Object.entries(libraries)) {
        try {
            new Webhook(secret).verify(body, headers);
            verdict[name] = 'ok';
        } catch (error) {
            verdict[name] = String(error.message);
        }
    }
    console.log(JSON.stringify(verdict));
});
