import type { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { MAX_IDLE_MS } from '../time-limits'

/** To all hosts together. */
const MAX_IDLE_CONNECTIONS = 50

/** The options of an agent that keeps its connections. While it runs, Node itself closes those that are idle for too long. */
export const KEEP_ALIVE = { keepAlive: true, timeout: MAX_IDLE_MS }

/** The connections that agents keep for later requests. */
export class IdleConnections {
  /** How each was after its last use. */
  private readonly lastUses = new WeakMap<Socket, { at: number; bytesRead: number; maxIdleMs: number }>()

  constructor(private readonly agents: Agent[]) {
    for (const agent of agents) {
      agent.on('free', (socket: Socket) => {
        // Set by the agent: to less, if the server says so (Keep-Alive: timeout=…).
        const maxIdleMs = socket.timeout || MAX_IDLE_MS
        this.lastUses.set(socket, { at: Date.now(), bytesRead: socket.bytesRead, maxIdleMs })
      })
    }
  }

  /**
   * Closes those that are too old or too many. Await it before each request. Timers can't do it: they stand still while an
   * instance is frozen, and meanwhile the server closes its side.
   */
  async closeStale(): Promise<void> {
    // After a thaw, the event loop takes one turn to learn what the servers have closed.
    await setImmediate()
    // Oldest first.
    const idle = this.all().sort((a, b) => this.lastUseOf(a).at - this.lastUseOf(b).at)
    idle.forEach((socket, index) => {
      const { at, bytesRead, maxIdleMs } = this.lastUseOf(socket)
      const isTooOld = Date.now() - at > maxIdleMs
      // Some servers send a 408 before they close an idle connection, and the close is read later.
      const hasSpoken = socket.bytesRead > bytesRead
      if (isTooOld || hasSpoken || index < idle.length - MAX_IDLE_CONNECTIONS) socket.destroy()
    })
    // An agent skips closed connections only at the start of its list. The others leave it a turn later.
    if (idle.some(({ destroyed }) => destroyed)) await setImmediate()
  }

  /** Closes all of them, so that the next request goes over a new connection. */
  closeAll(): void {
    for (const socket of this.all()) socket.destroy()
  }

  private all(): Socket[] {
    return this.agents.flatMap((agent) => Object.values(agent.freeSockets).flatMap((sockets) => sockets ?? []))
  }

  private lastUseOf(socket: Socket) {
    return this.lastUses.get(socket) ?? { at: 0, bytesRead: 0, maxIdleMs: 0 }
  }
}
