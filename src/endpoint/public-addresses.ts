import ipaddr from 'ipaddr.js'
import { isIPv4 } from 'node:net'

/** For development: allows endpoints on this machine and in its network. */
export const PRIVATE_ADDRESSES_ALLOWED = process.env['ALLOW_PRIVATE_ENDPOINTS'] === 'true'

/** All that IANA has assigned of IPv6 for the internet. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3')

/** In networks without IPv4, DNS64 turns IPv4 addresses into these (RFC 6052). */
const NAT64 = ipaddr.IPv6.parseCIDR('64:ff9b::/96')

/** Whether an IP address is on the internet: not loopback, link-local, private or reserved. */
export const isPublic = (address: string): boolean => {
  if (isIPv4(address)) return ipaddr.IPv4.parse(address).range() === 'unicast'
  const parsed = ipaddr.IPv6.parse(address)
  if (parsed.match(NAT64)) return isPublic(parsed.toByteArray().slice(12).join('.'))
  return parsed.match(GLOBAL_UNICAST) && parsed.range() === 'unicast'
}
