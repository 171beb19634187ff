import type { ClientInputs, ClientOutputs } from '@botpress/client'
import { ulid } from 'ulid'
import { ApiError } from '../api-error'

type State = ClientOutputs['getState']['state']

type StateKey = Pick<State, 'type' | 'id' | 'name'>

/** A state that an integration declares. */
export type StateDefinition = {
  type: State['type']
  schema: { safeParse: (payload: unknown) => { success: boolean } }
}

type Kept = { state: State; expiry?: number; usedAt: number }

/** The states of one installation of an integration. One that has an expiry is gone when it was idle for so long. */
export class States {
  private readonly kept = new Map<string, Kept>()

  /** @param definitions by their names: other states are refused */
  constructor(
    private readonly definitions: Record<string, StateDefinition>,
    private readonly botId: string
  ) {}

  /** @throws ApiError ResourceNotFound, InvalidPayload */
  get(key: StateKey): State {
    const state = this.find(key)
    if (!state) throw new ApiError('ResourceNotFound', `The state ${key.name} of ${key.type} ${key.id} does not exist`)
    return state
  }

  /** The state that there is, or else a new one with the payload. */
  getOrSet(input: ClientInputs['getOrSetState']): State {
    return this.find(input) ?? this.put(input)
  }

  /** Sets the state; a payload of `null` removes it. */
  set({ payload, ...input }: ClientInputs['setState']): State {
    if (payload) return this.put({ ...input, payload })
    const state = this.find(input) ?? this.newState(input, {})
    this.kept.delete(keyOf(input))
    return state
  }

  clear(): void {
    this.kept.clear()
  }

  all(): State[] {
    return [...this.kept.values()].map(({ state }) => state)
  }

  private put({ payload, expiry, ...key }: ClientInputs['getOrSetState']): State {
    const definition = this.definitionOf(key)
    if (!definition.schema.safeParse(payload).success) {
      throw new ApiError('InvalidPayload', `The payload is not what the state ${key.name} is declared to hold`)
    }
    const { id, createdAt } = this.find(key) ?? {}
    const state = { ...this.newState(key, payload), ...(createdAt && { id, createdAt }) }
    this.kept.set(keyOf(key), { state, expiry, usedAt: Date.now() })
    return state
  }

  private find(key: StateKey): State | undefined {
    this.definitionOf(key)
    const kept = this.kept.get(keyOf(key))
    if (!kept || Date.now() - kept.usedAt >= (kept.expiry ?? Infinity)) return undefined
    kept.usedAt = Date.now()
    return kept.state
  }

  private newState({ type, name }: StateKey, payload: State['payload']): State {
    const now = new Date().toISOString()
    return { id: `state_${ulid()}`, botId: this.botId, type, name, payload, createdAt: now, updatedAt: now }
  }

  private definitionOf({ type, name }: StateKey): StateDefinition {
    const definition = this.definitions[name]
    if (definition?.type === type) return definition
    throw new ApiError('InvalidPayload', `The integration declares no ${type} state ${name}`)
  }
}

const keyOf = ({ type, id, name }: StateKey): string => JSON.stringify([type, id, name])
