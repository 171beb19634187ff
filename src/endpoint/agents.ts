import http from 'node:http'
import https from 'node:https'
import type { Socket } from 'node:net'
import { KEEP_ALIVE } from '../http/idle-connections'
import { connect, type ConnectFailure } from './connect'

/** The options of a request over these agents. */
export type ConnectingOptions = http.RequestOptions & {
  /** Until when a connection must be made for it, if none is kept; in milliseconds since 1970. */
  connectDeadline?: number
}

type Callback = NonNullable<Parameters<http.Agent['createConnection']>[1]>

const connectFor = async (
  { host, port, connectDeadline = 0 }: ConnectingOptions,
  secure: Parameters<typeof connect>[1],
  callback: Callback
): Promise<void> => {
  let socket: Socket
  try {
    socket = await connect({ host: String(host), port: Number(port) }, secure, connectDeadline)
  } catch (failure) {
    return callback(failure as ConnectFailure, undefined as never)
  }
  callback(null, socket)
}

class HttpAgent extends http.Agent {
  override createConnection(options: ConnectingOptions, callback: Callback) {
    void connectFor(options, undefined, callback)
    return undefined
  }
}

class HttpsAgent extends https.Agent {
  override createConnection(options: ConnectingOptions, callback: Callback) {
    // Node's own remembers TLS sessions.
    void connectFor(options, (socket) => super.createConnection({ ...options, socket } as object) as Socket, callback)
    return undefined
  }
}

/** Agents that keep connections, and connect to one address of a host after the other. */
export const agents = { http: new HttpAgent(KEEP_ALIVE), https: new HttpsAgent(KEEP_ALIVE) }
