import { randomUUID } from 'node:crypto'
import { ApiError } from './api-error'

type Tags = Record<string, string>
type Item = { id: string; tags?: Tags }

const PAGE_SIZE = 20

/** The resources of one kind, in the order of their creation. */
export class Collection<T extends Item> {
  private readonly items = new Map<string, T>()
  private readonly idsByTags = new Map<string, string>()

  constructor(
    private readonly kind: string,
    private readonly idPrefix: string
  ) {}

  /** An id as the vendor's look: a prefix and 26 characters. */
  newId(): string {
    return `${this.idPrefix}_${randomUUID().replaceAll('-', '').slice(0, 26).toUpperCase()}`
  }

  /** Adds the item, or puts it in the place of the one with its id. */
  put(item: T): T {
    this.unindex(this.items.get(item.id))
    this.items.set(item.id, item)
    if (item.tags) this.idsByTags.set(keyOf(item.tags), item.id)
    return item
  }

  has(id: string): boolean {
    return this.items.has(id)
  }

  /** @throws ApiError ResourceNotFound */
  get(id: string): T {
    const item = this.items.get(id)
    if (!item) throw new ApiError('ResourceNotFound', `${this.kind} ${id} does not exist`)
    return item
  }

  /** The item with exactly these tags. */
  findByTags(tags: Tags): T | undefined {
    const id = this.idsByTags.get(keyOf(tags))
    return id === undefined ? undefined : this.items.get(id)
  }

  /** @throws ApiError ResourceNotFound */
  delete(id: string): void {
    this.unindex(this.get(id))
    this.items.delete(id)
  }

  all(): T[] {
    return [...this.items.values()]
  }

  /**
   * A page of those that match, the newest first. New items do not shift the pages that follow.
   *
   * @throws ApiError InvalidPayload for a token that was not given
   */
  page(nextToken: string | undefined, matches: (item: T) => boolean): { items: T[]; meta: { nextToken?: string } } {
    const matching = this.all().toReversed().filter(matches)
    const last = matching.findIndex(({ id }) => id === nextToken)
    if (nextToken !== undefined && last < 0) throw new ApiError('InvalidPayload', 'The nextToken is not known')
    const start = last + 1
    const items = matching.slice(start, start + PAGE_SIZE)
    const more = start + PAGE_SIZE < matching.length
    return { items, meta: more ? { nextToken: items.at(-1)!.id } : {} }
  }

  private unindex(item: T | undefined): void {
    if (item?.tags && this.idsByTags.get(keyOf(item.tags)) === item.id) this.idsByTags.delete(keyOf(item.tags))
  }
}

const keyOf = (tags: Tags): string => JSON.stringify(Object.entries(tags).toSorted(([a], [b]) => (a < b ? -1 : 1)))
