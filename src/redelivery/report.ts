/** How a redelivery went. */
export type Report = {
  delivered: number
  /** Messages that were tried and failed. */
  undelivered: number
  /** Whether others wait. */
  more: boolean
  /** The last failure, in words. */
  reason?: string
}
