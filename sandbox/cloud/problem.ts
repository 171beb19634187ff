import type { FastifyReply } from 'fastify'
import { STATUS_CODES } from 'node:http'

/** Answers with an error after RFC 9457, Problem Details for HTTP APIs. */
export const sendProblem = (reply: FastifyReply, status: number, detail: string): FastifyReply =>
  reply
    .code(status)
    .type('application/problem+json')
    .send(JSON.stringify({ title: STATUS_CODES[status], status, detail }))
