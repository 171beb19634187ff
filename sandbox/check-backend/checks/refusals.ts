import { type Answer, inWords, isNoServerError, isRefusal, isTaken } from '../answer'
import { type Check, findingOn } from '../check'
import type { Posting, Requests } from '../requests'

type Attempt = Pick<Check, 'name' | 'needs'> & { posting: Posting; sent: string; advice: string }

const taken = ({ posting, sent, advice, ...named }: Attempt): Check => ({
  ...named,
  requests: 1,
  run: async ({ requests }) => findingOn(await requests.post(posting), { sent, shouldBe: isTaken, advice }),
})

const refused = ({ posting, sent, advice, ...named }: Attempt): Check => ({
  ...named,
  requests: 1,
  run: async ({ requests }) => findingOn(await requests.post(posting), { sent, shouldBe: isRefusal, advice }),
})

const OLD_MS = 10 * 60 * 1000

/** As like the right one as a wrong one can be: what compares less than the whole takes it. */
const wrong = (right: string): string =>
  right.replaceAll(/(?<=v1,.{20})./g, (character) => (character === 'A' ? 'B' : 'A'))

/** In the middle: at its end, a value in base64 may have characters that mean nothing. */
const changedInside = (right: string): string => {
  const middle = Math.floor(right.length / 2)
  return right.slice(0, middle) + (right[middle] === 'x' ? 'y' : 'x') + right.slice(middle + 1)
}

/** After https://www.standardwebhooks.com, "Verifying signatures". */
export const signatures: Check[] = [
  taken({
    name: 'takes a signed message',
    needs: 'secret',
    posting: { fields: { payload: { text: 'Grüße ☕' } } },
    sent: 'a text, rightly signed',
    advice:
      'Verify the signature over {webhook-id}.{webhook-timestamp}.{body}, with the body as it came: the bytes, or as UTF-8.',
  }),
  refused({
    name: 'refuses an unsigned message',
    needs: 'secret',
    posting: { signature: () => '' },
    sent: 'a text with no webhook-signature',
    advice: 'Answer 401 where there is no signature.',
  }),
  refused({
    name: 'refuses a wrongly signed message',
    needs: 'secret',
    posting: { signature: wrong },
    sent: 'a text with one character of its signature changed',
    advice: 'Compare the whole signature, and answer 401 where it differs.',
  }),
  refused({
    name: 'refuses a changed message',
    needs: 'secret',
    posting: { changed: (body) => body.replace('Hello', 'Changed') },
    sent: 'a text that was changed after it was signed',
    advice: 'Sign the body as it came, and answer 401 where the signature differs.',
  }),
  refused({
    name: 'refuses an old message',
    needs: 'secret',
    posting: { ageMs: OLD_MS },
    sent: 'a text of ten minutes ago, rightly signed',
    advice:
      'Answer 401 where webhook-timestamp is more than five minutes off: else what somebody has recorded can be sent again.',
  }),
  taken({
    name: 'takes the second of two signatures',
    needs: 'secret',
    posting: { signature: (right) => `${wrong(right)} ${right}` },
    sent: 'a text with two signatures, the second right',
    advice:
      'Take a message where one of its signatures, which spaces divide, is right: there are two while a secret is replaced.',
  }),
]

export const headers: Check[] = [
  refused({
    name: 'refuses a message without the header',
    needs: 'header',
    posting: { headerValue: () => '' },
    sent: 'a text without the header',
    advice: 'Answer 401 or 403 where the header is missing.',
  }),
  refused({
    name: 'refuses a wrong header',
    needs: 'header',
    posting: { headerValue: changedInside },
    sent: 'a text with one character of the header changed',
    advice: 'Compare the whole value of the header, and answer 401 or 403 where it differs.',
  }),
]

/** It brings no 5xx, and right messages are taken after it as before. */
const borne = (
  name: string,
  { sent, request, advice }: { sent: string; request: (requests: Requests) => Promise<Answer>; advice: string }
): Check => ({
  name: `bears ${name}`,
  requests: 2,
  run: async ({ requests }) => {
    const answer = await request(requests)
    const after = await requests.post({})
    const finding = isTaken(after)
      ? findingOn(answer, { sent, shouldBe: isNoServerError, advice })
      : findingOn(after, { sent, shouldBe: isTaken, advice })
    return { ...finding, sent: `${sent}, then a text`, received: `${inWords(answer)}, then ${inWords(after)}` }
  },
})

const NOT_JSON = '{"type": "text", "payload": '

/** What anybody on the internet sends. */
export const strangers: Check[] = [
  borne('a GET', {
    sent: 'GET',
    request: (requests) => requests.request('GET'),
    advice: 'Answer 405 to what is no POST: a 5xx looks like an outage to those who watch.',
  }),
  borne('a body that is not JSON', {
    sent: NOT_JSON,
    request: (requests) =>
      requests.request('POST', { body: NOT_JSON, headers: { 'content-type': 'application/json' } }),
    advice: 'Answer 400, or 401 where it is not signed: anybody can send it, and nobody else may suffer from it.',
  }),
]
