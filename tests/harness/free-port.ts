import { createServer } from 'node:net'
import { listen } from './listen'

/** A port where nothing listens at the moment. Systems give none below 32,768 to who asks for any, so it stays free. */
export const freePort = async (): Promise<number> => {
  const port = 10_000 + Math.floor(Math.random() * 20_000)
  try {
    const { close } = await listen(createServer(), port)
    await close()
    return port
  } catch {
    return freePort()
  }
}
