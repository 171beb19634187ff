import http from 'node:http'
import type { Socket } from 'node:net'
import { text } from 'node:stream/consumers'
import { Webhook } from 'standardwebhooks'
import { hostForTest } from '../harness/host-for-test'

export const SECRET = `whsec_${Buffer.alloc(32, 7).toString('base64')}`
export const KEY = 'the-value-that-it-asks-for'
export const HEADER = `x-api-key: ${KEY}`

/** A request that it has got. */
export type Seen = {
  method: string
  headers: Record<string, string>
  text: string
  /** Absent where the body is no JSON. */
  body?: { type: string; payload: Record<string, unknown> }
  socket: Socket
  /** How many requests are under way. */
  open: number
  /** How many came over the same connection until now. */
  onConnection: number
  /** How many had the same `webhook-id` until now. */
  ofId: number
}

/** What is answered; `undefined` as a right backend does. */
export type Slip = (seen: Seen) => number | 'nothing' | undefined | Promise<number | 'nothing' | undefined>

export const isVerified = ({ headers, text: body }: Seen): boolean => {
  try {
    new Webhook(SECRET).verify(body, headers)
    return true
  } catch {
    return false
  }
}

const rightAnswer = (seen: Seen): number => {
  if (seen.method !== 'POST') return 405
  if (!hasKey(seen)) return 403
  if (!isVerified(seen)) return 401
  return seen.body ? 204 : 400
}

const parsed = (body: string): Seen['body'] => {
  try {
    return JSON.parse(body)
  } catch {
    return undefined
  }
}

/** Starts a backend that takes the right secret and header, and is right but for a slip, until the test has ended. */
export const startBackend = async (slip: Slip = () => undefined): Promise<string> => {
  const connections = new Map<Socket, number>()
  const ids = new Map<string, number>()
  let open = 0
  const server = http.createServer({ keepAliveTimeout: 60_000 }, async (request, response) => {
    open++
    response.once('close', () => open--)
    const content = await text(request)
    const { socket } = request
    const headers = request.headers as Record<string, string>
    const id = headers['webhook-id'] ?? ''
    connections.set(socket, (connections.get(socket) ?? 0) + 1)
    ids.set(id, (ids.get(id) ?? 0) + 1)
    const seen: Seen = {
      method: request.method!,
      headers,
      text: content,
      body: parsed(content),
      socket,
      open,
      onConnection: connections.get(socket)!,
      ofId: ids.get(id)!,
    }
    const status = (await slip(seen)) ?? rightAnswer(seen)
    if (status !== 'nothing') response.writeHead(status, { location: '/elsewhere' }).end()
  })
  return `http://${await hostForTest(server)}/bot`
}

export const hasKey = ({ headers }: Seen) => headers['x-api-key'] === KEY

export const isFresh = ({ headers }: Seen) => Math.abs(Date.now() / 1000 - Number(headers['webhook-timestamp'])) < 300

export const isText = ({ body }: Seen) => body?.type === 'text'

/** Whether the signature is right, by a comparison of its own. */
export const isSigned = (
  { headers, text: body }: Seen,
  compare: (right: string, given: string) => boolean
): boolean => {
  const { 'webhook-id': id = '', 'webhook-timestamp': timestamp = '', 'webhook-signature': given = '' } = headers
  return compare(new Webhook(SECRET).sign(id, new Date(Number(timestamp) * 1000), body), given)
}

/** Starts a server that answers as it is told, until the test has ended. */
export const serve = async (listener: http.RequestListener): Promise<string> =>
  `http://${await hostForTest(http.createServer(listener))}/`
