import { randomUUID } from 'node:crypto'
import { once } from 'node:events'
import http, { type IncomingMessage, type ServerResponse } from 'node:http'
import https from 'node:https'
import type { AddressInfo } from 'node:net'
import { setTimeout as sleep } from 'node:timers/promises'

export type FaultyEndpoint = {
  port: number
  /** Only requests of our own instances have it. */
  secret: string
  close(): void
}

/** Starts the server that fails in the place of the endpoint: `fail-requests.cjs` leads requests to it. */
export const startFaultyEndpoint = async (): Promise<FaultyEndpoint> => {
  const secret = randomUUID()
  const server = http.createServer((request, response) => {
    const { 'x-sandbox-fault': fault, ...headers } = request.headers
    const { secret: given, ...known } = JSON.parse(String(fault ?? '{}'))
    if (given !== secret) return void response.writeHead(403).end()
    void fail(request, response, { ...known, headers })
  })
  await once(server.listen(0, '127.0.0.1').unref(), 'listening')
  return {
    port: (server.address() as AddressInfo).port,
    secret,
    close: () => {
      server.close()
      server.closeAllConnections()
    },
  }
}

type Fault = { kind: string; status: number; delayMs: number; url: string; headers: http.IncomingHttpHeaders }

const fail = async (request: IncomingMessage, response: ServerResponse, fault: Fault): Promise<void> => {
  const { kind, status, delayMs } = fault
  if (kind === 'late') return passOn(request, response, fault)
  // Sent whole, as far as the integration knows.
  await once(request.resume(), 'end')
  await sleep(delayMs, undefined, { ref: false })
  if (kind === 'reset') request.socket.destroy()
  if (kind !== 'status') return
  // To another host, which is not followed: the endpoint sees nothing of it.
  const headers: http.OutgoingHttpHeaders =
    status >= 300 && status <= 399 ? { location: 'https://elsewhere.example/' } : {}
  response.writeHead(status, headers).end('Switched on in the sandbox')
}

/** The endpoint gets the request at once, and its answer comes late. */
const passOn = (request: IncomingMessage, response: ServerResponse, { url, delayMs, headers }: Fault): void => {
  const { request: send } = url.startsWith('https:') ? https : http
  const passed = send(url, { method: request.method, headers, agent: false })
  passed
    .once('response', async (answer) => {
      await sleep(delayMs, undefined, { ref: false })
      response.writeHead(answer.statusCode ?? 502, answer.headers)
      answer.pipe(response)
    })
    .once('error', () => request.socket.destroy())
  request.pipe(passed)
}
