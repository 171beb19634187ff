import { createServer } from 'node:net'
import { listen } from './listen'

/** A port where nothing listens at the moment. */
export const freePort = async (): Promise<number> => {
  const { port, close } = await listen(createServer())
  await close()
  return port
}
