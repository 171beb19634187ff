import ipaddr from 'ipaddr.js'
import dns from 'node:dns'
import { isIP, isIPv4, type LookupFunction } from 'node:net'

/** For development: endpoints on this machine and in its network. */
export const PRIVATE_ADDRESSES_ALLOWED = process.env['ALLOW_PRIVATE_ENDPOINTS'] === 'true'

/** All that IANA has given out of IPv6 for use between networks. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/** DNS64 makes such addresses of IPv4 ones, for networks without IPv4 (RFC 6052). */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

const isPublic = (address: string): boolean => {
  if (isIPv4(address)) return ipaddr.IPv4.parse(address).range() === 'unicast'
  const parsed = ipaddr.IPv6.parse(address)
  if (parsed.match(NAT64)) return isPublic(parsed.toByteArray().slice(12).join('.'))
  return parsed.match(GLOBAL_UNICAST) && parsed.range() === 'unicast'
}

/** An address that messages do not go to: loopback, link-local, private, or reserved. */
export class PrivateAddressError extends Error {}

/** Whether a URL's host is an address that is not public. Names are not: `lookupPublic` checks what they stand for. */
export const isRefusedAddress = ({ hostname }: URL): boolean => {
  const address = hostname.replaceAll(/[[\]]/g, '')
  return !PRIVATE_ADDRESSES_ALLOWED && isIP(address) !== 0 && !isPublic(address)
}

/**
 * Looks a name up for a connection that is made to public addresses only.
 *
 * @param onAddresses told of what was found
 * @returns what takes the place of `dns.lookup`; it fails with a PrivateAddressError if one of the addresses is not public
 */
export const lookupPublic =
  (onAddresses: (addresses: string[]) => void): LookupFunction =>
  (hostname, options, callback) =>
    dns.lookup(hostname, { ...options, all: true }, (error, found) => {
      if (error) return callback(error, '')
      const addresses = found.map(({ address }) => address)
      onAddresses(addresses)
      if (!PRIVATE_ADDRESSES_ALLOWED && !addresses.every(isPublic)) return callback(new PrivateAddressError(), '')
      if (options.all) callback(null, found)
      else callback(null, found[0]!.address, found[0]!.family)
    })
