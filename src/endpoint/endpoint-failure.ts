import type { AxiosError } from 'axios'

/** The endpoint did not take a message. The `message` is a clause without its end: it names the host and the reason. */
export class EndpointFailure extends Error {
  constructor(
    message: string,
    /** What the owner of the endpoint can do about it, as a sentence. */
    readonly advice: string,
    readonly tries: number
  ) {
    super(message)
  }
}

/** Why a request to the endpoint failed, in words for its owner: nothing of a query, a password or a message in it. */
export const endpointFailure = (url: URL, error: AxiosError, tries: number): EndpointFailure => {
  const { response, code, message } = error
  if (isPrivateAddress(error)) {
    return new EndpointFailure(
      `${url.host} is not a public address`,
      'Messages go to endpoints on the internet only: use an address that is reachable from there, such as a tunnel’s.',
      tries
    )
  }
  if (!response && isTimeout(error)) {
    return new EndpointFailure(
      `${url.host} did not answer in time`,
      'Let the endpoint answer 2xx within 10 s, before it does its work.',
      tries
    )
  }
  if (!response) {
    return new EndpointFailure(
      `${url.host} could not be reached (${code ?? message})`,
      'Check the address, and that the endpoint is up and reachable from the internet.',
      tries
    )
  }
  if (response.status >= 300 && response.status < 400) {
    const location = withoutSecrets(url, response.headers['location'])
    return new EndpointFailure(
      `${url.host} answered ${response.status}, a redirect to ${location}, and redirects are not followed`,
      'Set the Response Endpoint URL to the address that takes the messages itself.',
      tries
    )
  }
  return new EndpointFailure(
    `${url.host} answered ${response.status}`,
    'Let the endpoint answer POST requests with a 2xx status.',
    tries
  )
}

/** Whether the connection was refused because of the address: request-filtering-agent tells it in its message alone. */
export const isPrivateAddress = ({ message }: AxiosError): boolean => /^DNS lookup .* is not allowed\./.test(message)

/** Whether it took too long: by our own clock (canceled), by axios's, or by the network's. */
const isTimeout = ({ code }: AxiosError): boolean =>
  code === 'ERR_CANCELED' || code === 'ECONNABORTED' || code === 'ETIMEDOUT'

const withoutSecrets = (from: URL, location: unknown): string => {
  if (typeof location !== 'string' || !URL.canParse(location, from.href)) return 'nowhere'
  const { origin, pathname } = new URL(location, from)
  return origin + pathname
}
