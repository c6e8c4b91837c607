// What bioecko-gateway is measured against: the two calls that matter most, as
// a capable Node developer ships them. One process a core, prepared
// statements, schemas for what comes and goes, tokens verified once and
// remembered, a rate limit by client, a log line a request.
//
// By environment: PEER_DSN (PostgreSQL), PEER_PORT, PEER_CLIENT_ID,
// PEER_CLIENT_SECRET, PEER_LOG (a file), PEER_RATE (requests a minute).

import cluster from 'node:cluster'
import os from 'node:os'
import { generateKeyPairSync } from 'node:crypto'
import { buildApp } from './app.js'

if (cluster.isPrimary) {
  const { privateKey, publicKey } = generateKeyPairSync('rsa', {
    modulusLength: 2048,
    publicKeyEncoding: { type: 'spki', format: 'pem' },
    privateKeyEncoding: { type: 'pkcs8', format: 'pem' }
  })
  const workers = Number(process.env.PEER_WORKERS || os.cpus().length)
  for (let i = 0; i < workers; i++) {
    cluster.fork({ PEER_PRIVATE: privateKey, PEER_PUBLIC: publicKey })
  }
  cluster.on('exit', (worker, code) => {
    console.error(`worker ${worker.process.pid} ended with ${code}`)
    process.exit(1)
  })
  for (const signal of ['SIGTERM', 'SIGINT']) {
    process.on(signal, () => {
      for (const worker of Object.values(cluster.workers)) worker.kill()
      process.exit(0)
    })
  }
} else {
  const app = buildApp(process.env)
  await app.listen({ host: '127.0.0.1', port: Number(process.env.PEER_PORT) })
}
