/** What goes wrong with a request to the endpoint. */
export type EndpointFault = {
  /** It is answered with this status, and does not reach the endpoint. */
  status?: number
  /** No connection can be made. */
  down?: boolean
  /** It is never answered. */
  hang?: boolean
  /** The connection is closed without an answer. */
  reset?: boolean
  /** The answer comes so much later: the endpoint's own, if nothing else goes wrong. */
  delayMs?: number
  /** With how many requests. Default: all, until it is mended. */
  times?: number
}

/** As `fail-requests.cjs` knows them. */
const KINDS = ['nothing', 'late', 'status', 'hang', 'reset', 'down'] as const

const kindOf = ({ status, down, hang, reset, delayMs }: EndpointFault): (typeof KINDS)[number] => {
  if (down) return 'down'
  if (hang) return 'hang'
  if (reset) return 'reset'
  if (status !== undefined) return 'status'
  return delayMs ? 'late' : 'nothing'
}

const FOREVER = -1

/**
 * What goes wrong with the next requests to the endpoint. It stands in memory that the threads of all instances share, so that
 * it goes wrong as often as was set, whichever of them makes the request.
 */
export class EndpointFaults {
  /** The kind, the times that are left, the status, and the delay in milliseconds. */
  readonly memory = new Int32Array(new SharedArrayBuffer(16))

  set(fault: EndpointFault = {}): void {
    const { times = FOREVER, status = 0, delayMs = 0 } = fault
    // Nothing goes wrong while it is being changed.
    Atomics.store(this.memory, 0, 0)
    ;[times, status, delayMs].forEach((value, index) => Atomics.store(this.memory, index + 1, value))
    Atomics.store(this.memory, 0, times === 0 ? 0 : KINDS.indexOf(kindOf(fault)))
  }

  /** With the times that are left; `undefined` if nothing goes wrong. */
  get(): EndpointFault | undefined {
    const [kind = 0, times = 0, status = 0, delayMs = 0] = this.memory
    if (kind === 0 || times === 0) return undefined
    const name = KINDS[kind]!
    return {
      ...(name === 'status' ? { status } : name !== 'late' && { [name]: true }),
      ...(delayMs > 0 && { delayMs }),
      ...(times !== FOREVER && { times }),
    }
  }
}
