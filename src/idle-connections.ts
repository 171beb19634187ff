import type { Agent } from 'node:http'
import type { Duplex } from 'node:stream'
import { setImmediate } from 'node:timers/promises'

/**
 * After that long a connection is not used again: servers and the gateways on the way forget those that are idle, and
 * what is sent over them is lost. Node's own servers forget after 5 s.
 */
const MAX_IDLE_MS = 4000

/** To all hosts together. */
const MAX_IDLE_CONNECTIONS = 50

/** The options of an agent that keeps its connections: while it runs, Node itself closes those that are idle for too long. */
export const KEEP_ALIVE = { keepAlive: true, timeout: MAX_IDLE_MS }

/** The connections that agents keep for later requests. */
export class IdleConnections {
  private readonly idleSince = new WeakMap<Duplex, number>()

  constructor(private readonly agents: Agent[]) {
    for (const agent of agents) agent.on('free', (socket: Duplex) => this.idleSince.set(socket, Date.now()))
  }

  /**
   * Closes those that are too old or too many; to be awaited before each request. Timers do not tell the age: those of an
   * instance that was frozen have stood still, while the other end has closed its side.
   */
  async closeStale(): Promise<void> {
    // Of those that the other end has closed meanwhile, the event loop learns in its first turn after the thaw.
    await setImmediate()
    // The oldest first, as agents have them: they pass over closed ones only at the beginning of their lists.
    const idle = this.all().sort((a, b) => this.sinceOf(a) - this.sinceOf(b))
    idle.forEach((socket, index) => {
      const isTooOld = Date.now() - this.sinceOf(socket) > MAX_IDLE_MS
      if (isTooOld || index < idle.length - MAX_IDLE_CONNECTIONS) socket.destroy()
    })
  }

  /** Closes all of them, so that the next request goes over a new connection. */
  closeAll(): void {
    for (const socket of this.all()) socket.destroy()
  }

  private all(): Duplex[] {
    return this.agents.flatMap((agent) => Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []))
  }

  private sinceOf(socket: Duplex): number {
    return this.idleSince.get(socket) ?? 0
  }
}
