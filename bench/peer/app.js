// The application: authentication, validation, two routes.

import fastify from 'fastify'
import jwt from '@fastify/jwt'
import rateLimit from '@fastify/rate-limit'
import pg from 'pg'
import * as sql from './sql.js'

const slotsSchema = {
  querystring: {
    type: 'object',
    required: ['doctor_id', 'date', 'branch_id'],
    additionalProperties: false,
    properties: {
      doctor_id: { type: 'string', maxLength: 64 },
      date: { type: 'string', format: 'date' },
      branch_id: { type: 'string', maxLength: 64 },
      duration: { type: 'integer', minimum: 5, maximum: 480 }
    }
  },
  response: {
    200: {
      type: 'array',
      items: {
        type: 'object',
        properties: {
          start_time: { type: 'string' },
          end_time: { type: 'string' }
        }
      }
    }
  }
}

const text = { type: 'string', maxLength: 64 }
const bookSchema = {
  body: {
    type: 'object',
    required: ['patient_id', 'doctor_id', 'branch_id', 'slot_start', 'slot_end'],
    additionalProperties: false,
    properties: {
      patient_id: text,
      doctor_id: text,
      branch_id: text,
      slot_start: { type: 'string', format: 'date-time' },
      slot_end: { type: 'string', format: 'date-time' },
      visit_type: text,
      notes: { type: 'string', maxLength: 4000 }
    }
  }
}

// 2026-03-15T10:00:00+05:30 from seconds and an offset in seconds.
function localTime (seconds, offset) {
  const local = new Date((seconds + offset) * 1000).toISOString().slice(0, 19)
  const minutes = Math.abs(offset) / 60
  const sign = offset < 0 ? '-' : '+'
  return local + sign + String(Math.floor(minutes / 60)).padStart(2, '0') +
    ':' + String(minutes % 60).padStart(2, '0')
}

export function buildApp (env) {
  const app = fastify({
    logger: env.PEER_LOG ? { level: 'info', file: env.PEER_LOG } : false,
    disableRequestLogging: true,
    keepAliveTimeout: 60000
  })
  const pool = new pg.Pool({ connectionString: env.PEER_DSN, max: 8 })

  app.register(jwt, {
    secret: { private: env.PEER_PRIVATE, public: env.PEER_PUBLIC },
    sign: { algorithm: 'RS256', expiresIn: '1h' },
    verify: { algorithms: ['RS256'], cache: 1000 }
  })
  app.addContentTypeParser('application/x-www-form-urlencoded',
    { parseAs: 'string' },
    (request, body, done) => done(null, Object.fromEntries(new URLSearchParams(body))))

  app.addHook('onResponse', async (request, reply) => {
    request.log.info({
      method: request.method,
      url: request.url,
      status: reply.statusCode,
      ms: reply.elapsedTime,
      client: request.user?.client_id
    })
  })

  app.get('/healthz', async () => ({ status: 'ok' }))

  app.post('/api/v1/auth/token', async (request, reply) => {
    const { client_id: id, client_secret: secret } = request.body ?? {}
    if (id !== env.PEER_CLIENT_ID || secret !== env.PEER_CLIENT_SECRET) {
      return reply.code(401).send({ error: 'invalid_client' })
    }
    const scope = 'appointments:read appointments:write'
    const token = app.jwt.sign({ client_id: id, scope })
    return { access_token: token, token_type: 'Bearer', expires_in: 3600, scope }
  })

  app.register(async (api) => {
    api.addHook('onRequest', async (request) => { await request.jwtVerify() })
    await api.register(rateLimit, {
      max: Number(env.PEER_RATE || 10000000),
      timeWindow: '1 minute',
      hook: 'preHandler',
      keyGenerator: (request) => request.user.client_id
    })
    api.get('/slots', { schema: slotsSchema, preHandler: needs('appointments:read') },
      (request) => listSlots(pool, request.query))
    api.post('/', { schema: bookSchema, preHandler: needs('appointments:write') },
      (request, reply) => book(pool, request.body, reply))
  }, { prefix: '/api/v1/appointments' })
  return app
}

function needs (scope) {
  return async (request, reply) => {
    if (!request.user.scope.split(' ').includes(scope)) {
      return reply.code(403).send({ code: 'insufficient_scope' })
    }
  }
}

async function listSlots (pool, { doctor_id: doctor, date, branch_id: branch, duration }) {
  const { rows } = await pool.query(
    { ...sql.slots, values: [doctor, date, branch, duration ?? null] })
  return rows.map((row) => ({
    start_time: localTime(row.start, row.offset),
    end_time: localTime(row.start + row.length, row.offset)
  }))
}

async function book (pool, wish, reply) {
  const client = await pool.connect()
  try {
    await client.query('BEGIN')
    const day = await client.query({
      ...sql.lockDay, values: [wish.doctor_id, wish.slot_start, wish.branch_id]
    })
    if (day.rowCount === 0) {
      await client.query('ROLLBACK')
      return reply.code(422).send({ code: 'unknown_reference' })
    }
    const { doctor_no: doctorNo, on_date: date, last_token: token } = day.rows[0]
    const made = await client.query({
      ...sql.insertAppointment,
      values: [wish.patient_id, doctorNo, wish.doctor_id, wish.branch_id,
        wish.slot_start, wish.slot_end, wish.visit_type ?? null,
        wish.notes ?? null, token, date]
    })
    if (made.rowCount === 0) {
      await client.query('ROLLBACK')
      return reply.code(409).send({ code: 'slot_unavailable' })
    }
    await client.query('COMMIT')
    const id = `APT-${date.slice(0, 4)}-${String(made.rows[0].id).padStart(6, '0')}`
    return reply.code(201).header('location', `/api/v1/appointments/${id}`).send({
      appointment_id: id,
      ...wish,
      status: 'booked',
      token_number: token,
      token_date: date,
      version: 1,
      booked_at: made.rows[0].booked_at
    })
  } catch (error) {
    await client.query('ROLLBACK')
    if (error.code === '23P01') {
      return reply.code(409).send({ code: 'slot_unavailable' })
    }
    throw error
  } finally {
    client.release()
  }
}
