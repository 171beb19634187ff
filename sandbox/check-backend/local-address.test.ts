import { networkInterfaces } from 'node:os'
import { expect, it } from 'vitest'
import { foreignAddress } from './local-address'

const own = Object.values(networkInterfaces())
  .flat()
  .map((entry) => entry!)
  .filter(({ family }) => family === 'IPv4')

it.each(['localhost', '127.0.0.1', '127.1.2.3', '[::1]', '[::ffff:127.0.0.1]', ...own.map(({ address }) => address)])(
  '%s is on this machine',
  async (host) => {
    expect(await foreignAddress(new URL(`http://${host}:8080/bot`))).toBeUndefined()
  }
)

it.each([
  ['192.0.2.1', '192.0.2.1'],
  ['[2001:db8::1]', '2001:db8::1'],
  ['10.255.255.254', '10.255.255.254'],
])('%s is not', async (host, address) => {
  expect(await foreignAddress(new URL(`https://${host}/bot`))).toBe(address)
})

it('a name that nobody knows has no address to tell', async () => {
  await expect(foreignAddress(new URL('http://nobody.invalid/'))).rejects.toThrow('nobody.invalid')
})
