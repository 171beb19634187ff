import { resolve } from 'node:path'
import { pathToFileURL } from 'node:url'
import type { Bot } from './bot'

/**
 * The bot that is the default export of an ES module.
 *
 * @throws Error that says what is wrong with the module
 */
export const botInFile = async (file: string): Promise<Bot> => {
  let module: { default?: unknown }
  try {
    module = await import(pathToFileURL(resolve(file)).href)
  } catch (thrown) {
    const reason = thrown instanceof Error ? `${thrown.name}: ${thrown.message}` : String(thrown)
    throw new Error(`The bot in ${file} could not be loaded: ${reason}`, { cause: thrown })
  }
  if (typeof module.default === 'function') return module.default as Bot
  throw new Error(`The default export of ${file} is not a function: a bot is one.`)
}
