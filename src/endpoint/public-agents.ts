import dns from 'node:dns'
import type { Agent } from 'node:http'
import { BlockList, type LookupFunction } from 'node:net'
import { RequestFilteringHttpAgent, RequestFilteringHttpsAgent } from 'request-filtering-agent'
import { KEEP_ALIVE } from '../idle-connections'

/** For development: endpoints on this machine and in its network. */
export const PRIVATE_ADDRESSES_ALLOWED = process.env['ALLOW_PRIVATE_ENDPOINTS'] === 'true'

/** IPv4-compatible addresses, `::127.0.0.1` and the like, deprecated by RFC 4291, section 2.5.5.1. */
const compatible = new BlockList()
compatible.addSubnet('::', 96, 'ipv6')

/** request-filtering-agent takes IPv4-compatible addresses for public ones, but not the loopback address. */
const refusable = (address: string): string =>
  !PRIVATE_ADDRESSES_ALLOWED && compatible.check(address, 'ipv6') ? '::1' : address

const lookup: LookupFunction = (hostname, options, callback) =>
  dns.lookup(hostname, options, (error: NodeJS.ErrnoException | null, found: string | dns.LookupAddress[], family) => {
    if (error) callback(error, '', 0)
    else if (typeof found === 'string') callback(null, refusable(found), family)
    else
      callback(
        null,
        found.map((one) => ({ ...one, address: refusable(one.address) }))
      )
  })

type CreateConnection = (options: { host?: string }, callback?: unknown) => unknown

/** So that addresses in URLs, which are not looked up, are seen too. */
const refusing = <T extends Agent>(agent: T): T => {
  const filtered = agent as unknown as { createConnection: CreateConnection }
  const createConnection = filtered.createConnection.bind(agent)
  filtered.createConnection = (options, callback) =>
    createConnection({ ...options, host: options.host && refusable(options.host) }, callback)
  return agent
}

const options = {
  ...KEEP_ALIVE,
  lookup,
  allowPrivateIPAddress: PRIVATE_ADDRESSES_ALLOWED,
  allowMetaIPAddress: PRIVATE_ADDRESSES_ALLOWED,
}

/** Agents that connect to public addresses only: they look at the address when they connect, after the name is resolved. */
export const publicAgents = {
  httpAgent: refusing(new RequestFilteringHttpAgent(options)),
  httpsAgent: refusing(new RequestFilteringHttpsAgent(options)),
}

/** Whether a connection was refused because of its address: request-filtering-agent tells it in its message alone. */
export const isPrivateAddress = ({ message }: { message: string }): boolean =>
  /^DNS lookup .* is not allowed\./.test(message)
