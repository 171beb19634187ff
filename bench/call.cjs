// @ts-check
// Calls a bundle with the same request again and again, and tells the parent process what CPU each call took.
const [, , bundle, request, warmUp, times] = process.argv

/** @param {number} count */
const call = async (count) => {
  const { handler } = require(/** @type {string} */ (bundle))
  for (let index = 0; index < count; index++) {
    const { status } = await handler(JSON.parse(/** @type {string} */ (request)))
    if (status !== 200) throw new Error(`It answered ${status}`)
  }
}

const main = async () => {
  await call(Number(warmUp))
  const before = process.cpuUsage()
  await call(Number(times))
  const { user, system } = process.cpuUsage(before)
  process.send?.((user + system) / Number(times))
  process.disconnect()
}

main().catch((error) => {
  console.error(error)
  process.exit(1)
})
