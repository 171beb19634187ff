import { type Answer, inWords } from './answer'
import type { Deliveries } from './deliveries'
import type { Requests } from './requests'

/** The backend that is looked at, and the two ways to it. */
export type Backend = {
  url: URL
  /** Through the built integration, as real messages come. */
  deliveries: Deliveries
  /** By requests of our own, right ones and wrong ones. */
  requests: Requests
}

export type Finding = {
  outcome: 'passed' | 'failed' | 'not applicable' | 'not made'
  sent: string
  /** What came back, or why nothing was sent. */
  received: string
  /** What to do about it. It is there too where a check has passed, and the backend could be better. */
  advice?: string
  /** The answer that shows it, where it is one. */
  answer?: Answer
}

/** Something that a backend has to get right. */
export type Check = {
  name: string
  /** How many requests it takes at the most. */
  requests: number
  /** What has to be given for it. */
  needs?: 'secret' | 'header'
  run(backend: Backend): Promise<Finding>
}

/** What the answer shows, where it should be so. */
export const findingOn = (
  answer: Answer,
  { sent, shouldBe, advice }: { sent: string; shouldBe: (answer: Answer) => boolean; advice: string }
): Finding => ({
  sent,
  received: inWords(answer),
  answer,
  ...(shouldBe(answer) ? { outcome: 'passed' } : { outcome: 'failed', advice }),
})

/** @param received why nothing was sent */
export const notApplicable = (received: string): Finding => ({ outcome: 'not applicable', sent: '', received })
