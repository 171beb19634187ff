import { lookup } from 'node:dns/promises'
import { BlockList, isIP } from 'node:net'
import { networkInterfaces } from 'node:os'

const familyOf = (address: string) => (isIP(address) === 6 ? 'ipv6' : 'ipv4')

const ownAddresses = (): BlockList => {
  const own = new BlockList()
  own.addSubnet('127.0.0.0', 8, 'ipv4')
  own.addAddress('0.0.0.0', 'ipv4')
  for (const address of ['::1', '::']) own.addAddress(address, 'ipv6')
  for (const { address } of Object.values(networkInterfaces())
    .flat()
    .filter((entry) => entry !== undefined)) {
    own.addAddress(address, familyOf(address))
  }
  return own
}

/**
 * An address of the URL's host that is not this machine's, where there is one.
 *
 * @throws Error of DNS where the name has no address
 */
export const foreignAddress = async ({ hostname }: URL): Promise<string | undefined> => {
  const own = ownAddresses()
  // The brackets of an IPv6 address are the URL's.
  const addresses = await lookup(hostname.replaceAll(/[[\]]/g, ''), { all: true })
  return addresses.map(({ address }) => address).find((address) => !own.check(address, familyOf(address)))
}
