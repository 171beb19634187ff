import pc from 'picocolors'
import { inOptions } from '../command-line/in-options'
import { adviceOnOptions } from '../command-line/options'
import { CHECK_HELP, CHECK_OPTIONS, readCheckOptions } from './options'
import { reportOf } from './report'

const NOTHING_CHECKED = 2

const main = async (args: string[]): Promise<void> => {
  const given = await readCheckOptions(args)
  if (!given) {
    console.log(CHECK_HELP)
    return
  }
  const { options, json } = given
  // Of the query, which may hold a secret, nothing is printed.
  const { origin, pathname } = given.url
  // So late that what is wrong with the options is told at once.
  const { checkBackend, requestsOf } = await import('./check-backend')
  console.error(`Sends ${origin}${pathname} up to ${requestsOf(options)} requests, within a minute.\n`)
  const results = await checkBackend(options)
  const failed = results.filter(({ outcome }) => outcome === 'failed').length
  console.log(
    json
      ? JSON.stringify({ endpoint: origin + pathname, failed, checks: results }, null, 2)
      : reportOf(results, {
          colors: pc.createColors(process.stdout.isTTY === true && pc.isColorSupported),
          width: process.stdout.columns,
        })
  )
  process.exitCode = results.some(({ outcome }) => outcome === 'failed' || outcome === 'not made') ? 1 : 0
}

/** Checks a backend, prints what was found, and sets the exit code. */
export const check = (args: string[]): Promise<void> =>
  main(args).catch((error: unknown) => {
    console.error(adviceOnOptions(error, CHECK_OPTIONS) ?? inOptions((error as Error).message))
    process.exitCode = NOTHING_CHECKED
  })
