#!/usr/bin/env node
// The sandbox, or with `check` as its first word the check of a backend. Each loads no more than it needs.
const [command, ...args] = process.argv.slice(2)

const run = async (): Promise<void> => {
  if (command === 'check') await (await import('../check-backend/command')).check(args)
  else await (await import('./start')).start(process.argv.slice(2))
}

void run()
