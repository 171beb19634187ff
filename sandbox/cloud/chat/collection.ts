import { isValid, monotonicFactory } from 'ulid'
import { ApiError } from '../api-error'

type Tags = Record<string, string>
type Item = { id: string; tags?: Tags }

const PAGE_SIZE = 20

type CollectionProps = {
  kind: string
  idPrefix: string
  /** The names of the integration's own tags. Items are found by these alone, whatever else a bot has put there. */
  ownTags?: string[]
  /** How many are kept: the oldest are dropped. Default: all. */
  maxItems?: number
}

const newUlid = monotonicFactory()

/** The resources of one kind, in the order of their creation. */
export class Collection<T extends Item> {
  private readonly items = new Map<string, T>()
  private readonly idsByTags = new Map<string, string>()

  constructor(private readonly props: CollectionProps) {}

  /** An id as the vendor's are: a prefix and a ULID, so that those that are made later are greater. */
  newId(): string {
    return `${this.props.idPrefix}_${newUlid()}`
  }

  /** Adds the item, or puts it in the place of the one with its id. */
  put(item: T): T {
    this.unindex(this.items.get(item.id))
    this.items.set(item.id, item)
    const key = this.keyOf(item.tags)
    if (key !== undefined) this.idsByTags.set(key, item.id)
    const [oldest] = this.items.keys()
    if (this.items.size > (this.props.maxItems ?? Infinity)) this.delete(oldest!)
    return item
  }

  has(id: string): boolean {
    return this.items.has(id)
  }

  /** @throws ApiError ResourceNotFound */
  get(id: string): T {
    const item = this.items.get(id)
    if (!item) throw new ApiError('ResourceNotFound', `${this.props.kind} ${id} does not exist`)
    return item
  }

  /** The item with exactly these tags of the integration; none where there are none. */
  findByTags(tags: Tags): T | undefined {
    const key = this.keyOf(tags)
    const id = key === undefined ? undefined : this.idsByTags.get(key)
    return id === undefined ? undefined : this.items.get(id)
  }

  /** @throws ApiError ResourceNotFound */
  delete(id: string): void {
    this.unindex(this.get(id))
    this.items.delete(id)
  }

  /** @param keptId of one that stays */
  clear(keptId?: string): void {
    for (const { id } of this.all()) if (id !== keptId) this.delete(id)
  }

  all(): T[] {
    return [...this.items.values()]
  }

  /**
   * A page of those that match, the newest first. What is new, changed or deleted meanwhile does not shift the pages that
   * follow: a token stands for all that are older than an item.
   *
   * @throws ApiError InvalidPayload for a token that was not given
   */
  page(nextToken: string | undefined, matches: (item: T) => boolean): { items: T[]; meta: { nextToken?: string } } {
    const before = nextToken === undefined ? undefined : this.idOf(nextToken)
    const matching = this.all()
      .toReversed()
      .filter((item) => (before === undefined || item.id < before) && matches(item))
    const items = matching.slice(0, PAGE_SIZE)
    const more = matching.length > PAGE_SIZE
    return { items, meta: more ? { nextToken: Buffer.from(items.at(-1)!.id).toString('base64url') } : {} }
  }

  private idOf(nextToken: string): string {
    const id = Buffer.from(nextToken, 'base64url').toString()
    const [prefix, ulid] = id.split('_')
    if (prefix !== this.props.idPrefix || !isValid(ulid ?? '')) {
      throw new ApiError('InvalidPayload', 'The nextToken is not known')
    }
    return id
  }

  private unindex(item: T | undefined): void {
    const key = this.keyOf(item?.tags)
    if (key !== undefined && this.idsByTags.get(key) === item!.id) this.idsByTags.delete(key)
  }

  private keyOf(tags: Tags = {}): string | undefined {
    const { ownTags = [] } = this.props
    const own = ownTags.toSorted().map((name) => tags[name])
    return own.every((value) => value === undefined) ? undefined : JSON.stringify(own)
  }
}
