import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { callbackify } from 'node:util'
import { KEEP_ALIVE } from '../http/idle-connections'
import { connect } from './connect'

/** The options of a request over these agents. */
export type ConnectingOptions = http.RequestOptions & {
  /** When its connection must be made, if none is kept; in milliseconds since 1970. */
  connectDeadline?: number
}

type Callback = NonNullable<Parameters<http.Agent['createConnection']>[1]>

const connectFor = callbackify(
  ({ host, port, connectDeadline = 0 }: ConnectingOptions, secure: ((socket: Socket) => Socket) | undefined) =>
    connect({ host: String(host), port: Number(port) }, secure, connectDeadline)
)

class HttpAgent extends http.Agent {
  override createConnection(options: ConnectingOptions, callback: Callback) {
    connectFor(options, undefined, callback)
    return undefined
  }
}

class HttpsAgent extends https.Agent {
  override createConnection(options: ConnectingOptions, callback: Callback) {
    // Node's own method reuses TLS sessions.
    connectFor(options, (socket) => super.createConnection({ ...options, socket } as object) as Socket, callback)
    return undefined
  }
}

/** Agents that keep connections, and try the addresses of a host one after the other. */
export const agents = { http: new HttpAgent(KEEP_ALIVE), https: new HttpsAgent(KEEP_ALIVE) }
