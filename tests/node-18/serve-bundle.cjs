// @ts-check
// Hands each request that comes from the parent process to a bundle, whose path is the only argument. In the environment,
// HOSTS has the addresses of names that no name server knows.
const dns = require('node:dns')

/** @type {Record<string, string[]>} */
const hosts = JSON.parse(process.env['HOSTS'] ?? '{}')
const { lookup } = dns
dns.lookup = /** @type {any} */ (
  (/** @type {string} */ name, /** @type {any} */ options, /** @type {any} */ callback) => {
    const addresses = hosts[name]
    if (!addresses) return lookup(name, options, callback)
    const found = addresses.map((address) => ({ address, family: 4 }))
    setImmediate(() => (options.all ? callback(null, found) : callback(null, addresses[0], 4)))
  }
)

const { handler } = require(/** @type {string} */ (process.argv[2]))

process.on('message', async (/** @type {{ request?: object }} */ { request }) => {
  process.send?.({ result: request ? await handler(request) : process.memoryUsage().heapUsed })
})
