import type { Fault } from '../cloud/chat/chat-api'

export type SwitchPositions = {
  /** What the sandbox's own endpoint does. */
  endpoint: 'answers' | 'fails twice' | 'is down' | 'hangs once' | 'redirects'
  /** What Botpress answers its next calls with, in place of an answer. */
  botpress: { status: 429 | 502; calls: number }
}

/** What is set to go wrong, to see how the integration takes it. */
export class Switches {
  private positions: SwitchPositions = { endpoint: 'answers', botpress: { status: 429, calls: 0 } }
  private endpointRequests = 0

  get(): SwitchPositions {
    return this.positions
  }

  set(positions: SwitchPositions): void {
    this.positions = positions
    this.endpointRequests = 0
  }

  /** What the endpoint does with the request that has come in. */
  nextEndpointAnswer(): { status: number; location?: string } | 'hang' {
    const count = ++this.endpointRequests
    const { endpoint } = this.positions
    if (endpoint === 'fails twice' && count <= 2) return { status: 500 }
    if (endpoint === 'is down') return { status: 503 }
    if (endpoint === 'hangs once' && count === 1) return 'hang'
    if (endpoint === 'redirects') return { status: 302, location: '/elsewhere' }
    return { status: 204 }
  }

  /** What goes wrong with the call to Botpress that has come in. */
  nextApiFault(): Fault | undefined {
    const { status, calls } = this.positions.botpress
    if (calls <= 0) return undefined
    this.positions = { ...this.positions, botpress: { status, calls: calls - 1 } }
    return { answer: { status, body: { message: 'Switched on in the sandbox' } } }
  }
}
