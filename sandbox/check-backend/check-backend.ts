import { once } from 'node:events'
import pLimit from 'p-limit'
import { inOptions } from '../command-line/in-options'
import { endpointOf } from '../../src/configuration'
import { type Backend, type Check, type Finding, notApplicable } from './check'
import { keptConnection, promptAnswer, registrationTest } from './checks/conditions'
import { manyAtOnce, messages } from './checks/messages'
import { headers, signatures, strangers } from './checks/refusals'
import { MAX_AT_ONCE, startDeliveries } from './deliveries'
import { hideSecretsOf } from './hide-secrets'
import { listens } from './listens'
import type { CheckOptions } from './options'
import { Requests } from './requests'

export type CheckLimits = {
  /** For an answer. */
  answerMs: number
  /** For everything. */
  totalMs: number
  /** How many messages come at the same time, where they are many. */
  atOnce: number
}

export const LIMITS: CheckLimits = { answerMs: 10_000, totalMs: 55_000, atOnce: 20 }

export type Result = { check: string } & Pick<Finding, 'outcome' | 'sent' | 'received' | 'advice'>

/** Where one of them fails, the others are of no use. */
const CONDITIONS = [keptConnection, promptAnswer]

/** In any order, some at a time. */
const OTHERS = [...messages, ...signatures, ...headers]

/** Each by itself. */
const ALONE = ({ atOnce }: CheckLimits) => [manyAtOnce(atOnce), ...strangers]

const isMissing = ({ needs }: Check, { signingSecret, endpointHeader }: CheckOptions): boolean =>
  (needs === 'secret' && !signingSecret) || (needs === 'header' && !endpointHeader)

/** How many requests `checkBackend` makes at the most. */
export const requestsOf = (options: CheckOptions, limits = LIMITS): number =>
  [registrationTest, ...CONDITIONS, ...OTHERS, ...ALONE(limits)]
    .filter((check) => !isMissing(check, options))
    .reduce((sum, { requests }) => sum + requests, 0)

/**
 * Looks at a running backend: sends it what the integration sends, and what it has to refuse.
 *
 * @returns what each check has found, in their order
 * @throws Error if nobody listens there; RuntimeError or RegistrationError if the integration would not take the options
 */
export const checkBackend = async (options: CheckOptions, limits = LIMITS): Promise<Result[]> => {
  const { answerMs: limitMs, totalMs } = limits
  const { endpoint: responseEndpointURL, signingSecret, endpointHeader } = options
  const endpoint = endpointOf({ responseEndpointURL, signingSecret, endpointHeader })
  if (!(await listens(endpoint.url)))
    throw new Error(`Nobody listens at ${endpoint.url.host}: start the backend first.`)
  const hide = hideSecretsOf(options)
  const start = performance.now()
  const over = AbortSignal.timeout(totalMs)
  const isOver = once(over, 'abort').then(() => OUT_OF_TIME)
  const deliveries = await startDeliveries({ ...options, limitMs, hide })
  const requests = new Requests({ endpoint, limitMs, signal: over, hide })
  const backend: Backend = { url: endpoint.url, deliveries, requests }

  /** The check that has failed so that there is no use in more. */
  let obstacle: string | undefined
  let slowest = { check: '', ms: 0 }

  const find = async (check: Check): Promise<Finding> => {
    if (isMissing(check, options)) return notApplicable(`no --${check.needs} was given`)
    if (obstacle) return notApplicable(`of no use where “${obstacle}” fails`)
    const finding = over.aborted ? OUT_OF_TIME : await Promise.race([check.run(backend), isOver])
    if (obstacle || (await listens(endpoint.url))) return finding
    obstacle = check.name
    const received = `${finding.received}; then nobody listened there any more`
    return { ...finding, outcome: 'failed', received, advice: 'See in the backend’s own log why it ended.' }
  }

  const resultOf = async (check: Check): Promise<Result> => {
    const { answer, outcome, sent, received, advice } = await find(check)
    if (outcome === 'failed' && CONDITIONS.includes(check)) obstacle = check.name
    if (outcome === 'passed' && answer && answer.ms > slowest.ms) slowest = { check: check.name, ms: answer.ms }
    return { check: check.name, outcome, sent, received, ...(advice !== undefined && { advice: inOptions(advice) }) }
  }

  const inTurn = async (checks: Check[], concurrency = 1): Promise<Result[]> => {
    const limit = pLimit(concurrency)
    return Promise.all(checks.map((check) => limit(() => resultOf(check))))
  }

  try {
    const conditions = await inTurn([registrationTest, ...CONDITIONS])
    // One at a time, so that what fails fails by itself; of a slow one as many as there is time for.
    const leftMs = Math.max(start + totalMs - performance.now(), 1)
    const concurrency = Math.min(Math.ceil((2 * OTHERS.length * slowest.ms) / leftMs), MAX_AT_ONCE)
    const others = await inTurn(OTHERS, Math.max(concurrency, 1))
    const results = [...conditions, ...others, ...(await inTurn(ALONE(limits)))]
    const prompt = results.find(({ check }) => check === promptAnswer.name)
    if (prompt?.outcome === 'passed' && slowest.ms > PROMPT_MS) prompt.advice = promptAdvice(slowest)
    return results
  } finally {
    await deliveries.close()
  }
}

const OUT_OF_TIME: Finding = {
  outcome: 'not made',
  sent: '',
  received: 'there was no time left: it answers too slowly',
}

/** Of a backend that answers before it works. */
const PROMPT_MS = 1000

const promptAdvice = ({ check, ms }: { check: string; ms: number }): string =>
  `Answer first, within 1 s, and work then: what is not answered within 30 s may be lost. In “${check}” it took ${(ms / 1000).toFixed(1)} s.`
