import type { Agent } from 'node:http'
import type { Socket } from 'node:net'
import { setImmediate } from 'node:timers/promises'
import { MAX_IDLE_MS } from '../time-limits'

/** To all hosts together. */
const MAX_IDLE_CONNECTIONS = 50

/** The options of an agent that keeps its connections: while it runs, Node itself closes those that are idle for too long. */
export const KEEP_ALIVE = { keepAlive: true, timeout: MAX_IDLE_MS }

/** The connections that agents keep for later requests. */
export class IdleConnections {
  /** As each was when it was last used. */
  private readonly lastUses = new WeakMap<Socket, { at: number; bytesRead: number; maxIdleMs: number }>()

  constructor(private readonly agents: Agent[]) {
    for (const agent of agents) {
      agent.on('free', (socket: Socket) => {
        // The agent has set it before: to less, if the server has said so (Keep-Alive: timeout=…).
        const maxIdleMs = socket.timeout || MAX_IDLE_MS
        this.lastUses.set(socket, { at: Date.now(), bytesRead: socket.bytesRead, maxIdleMs })
      })
    }
  }

  /**
   * Closes those that are too old or too many; to be awaited before each request. Timers do not tell the age: those of an
   * instance that was frozen have stood still, while the other end has closed its side.
   */
  async closeStale(): Promise<void> {
    // Of those that the other end has closed meanwhile, the event loop learns in its first turn after the thaw.
    await setImmediate()
    // The oldest first.
    const idle = this.all().sort((a, b) => this.lastUseOf(a).at - this.lastUseOf(b).at)
    idle.forEach((socket, index) => {
      const { at, bytesRead, maxIdleMs } = this.lastUseOf(socket)
      const isTooOld = Date.now() - at > maxIdleMs
      // Some servers say 408 before they close an idle connection, and the close is read after that.
      const hasSpoken = socket.bytesRead > bytesRead
      if (isTooOld || hasSpoken || index < idle.length - MAX_IDLE_CONNECTIONS) socket.destroy()
    })
    // Agents leave out what was closed a turn later only, unless it is at the beginning of their lists.
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
