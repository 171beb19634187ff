import pLimit from 'p-limit'
import { setTimeout as sleep } from 'node:timers/promises'
import { endpointOf } from '../src/configuration'
import type { Backend, Check, Finding } from './check'
import { keptConnection, promptAnswer, registrationTest } from './checks/conditions'
import { messages } from './checks/messages'
import { headers, signatures, strangers } from './checks/refusals'
import { startDeliveries } from './deliveries'
import { Requests } from './requests'

/** How the integration is configured for the backend. */
export type CheckOptions = {
  endpoint: string
  signingSecret?: string
  endpointHeader?: string
}

export type CheckLimits = {
  /** For an answer. */
  answerMs: number
  /** For everything. */
  totalMs: number
  /** How many messages come at the same time, where they are many. */
  atOnce: number
}

export const LIMITS: CheckLimits = { answerMs: 10_000, totalMs: 55_000, atOnce: 20 }

export type Result = { check: string } & Finding

/** Of a slow backend, so many are looked at at the same time: so that all are, within the time for everything. */
const SLOW_CONCURRENCY = 5

const SLOW_MS = 1000

/** Where one of them fails, the others are of no use. */
const CONDITIONS = [keptConnection, promptAnswer]

const othersOf = ({ atOnce }: CheckLimits): Check[] => [...messages(atOnce), ...signatures, ...headers, ...strangers]

const isMissing = ({ needs }: Check, { signingSecret, endpointHeader }: CheckOptions): boolean =>
  (needs === 'secret' && !signingSecret) || (needs === 'header' && !endpointHeader)

/** How many requests `checkBackend` makes at the most. */
export const requestsOf = (options: CheckOptions, limits = LIMITS): number =>
  [registrationTest, ...CONDITIONS, ...othersOf(limits)]
    .filter((check) => !isMissing(check, options))
    .reduce((sum, { requests }) => sum + requests, 0)

/**
 * Looks at a running backend: sends it what the integration sends, and what it has to refuse.
 *
 * @returns what each check has found, in their order
 * @throws RuntimeError or RegistrationError when the integration would not take the options
 */
export const checkBackend = async (options: CheckOptions, limits = LIMITS): Promise<Result[]> => {
  const { endpoint: responseEndpointURL, signingSecret, endpointHeader } = options
  const endpoint = endpointOf({ responseEndpointURL, signingSecret, endpointHeader })
  const late: Finding = {
    outcome: 'failed',
    sent: '',
    received: 'the time was over before it was done',
    advice: 'Answer at once, and work then: all that was sent took longer than a minute.',
  }
  const isOver = sleep(limits.totalMs, late, { ref: false })
  const deliveries = await startDeliveries({ ...options, limitMs: limits.answerMs, maxInstances: limits.atOnce })
  const backend: Backend = { url: endpoint.url, deliveries, requests: new Requests(endpoint, limits.answerMs) }

  let obstacle: Check | undefined
  const resultOf = async (check: Check): Promise<Result> => {
    const finding = isMissing(check, options)
      ? notApplicable(`no --${check.needs} was given`)
      : obstacle
        ? notApplicable(`of no use where “${obstacle.name}” fails`)
        : await Promise.race([check.run(backend), isOver])
    return { check: check.name, ...finding, received: withoutSecrets(finding.received, options) }
  }

  try {
    const results = [await resultOf(registrationTest)]
    const start = performance.now()
    for (const check of CONDITIONS) {
      const result = await resultOf(check)
      results.push(result)
      if (result.outcome === 'failed') obstacle = check
    }
    // One at a time, so that what fails fails by itself.
    const limit = pLimit(performance.now() - start > SLOW_MS ? SLOW_CONCURRENCY : 1)
    return [...results, ...(await Promise.all(othersOf(limits).map((check) => limit(() => resultOf(check)))))]
  } finally {
    await deliveries.close()
  }
}

/** What a backend echoes of what lets somebody in does not go any further. */
const withoutSecrets = (text: string, { signingSecret = '', endpointHeader = '' }: CheckOptions): string =>
  [...signingSecret.split(/\s+/), endpointHeader.slice(endpointHeader.indexOf(':') + 1).trim()]
    .filter((secret) => secret !== '')
    .reduce((rest, secret) => rest.replaceAll(secret, '•••'), text)

const notApplicable = (received: string): Finding => ({ outcome: 'not applicable', sent: '', received })
