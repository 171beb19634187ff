// What `npm start` runs here: builds the integration, and starts the sandbox. To tell its options it needs no build.
import { execSync } from 'node:child_process'

const onlyTells = process.argv.some((word) => word === '--help' || word === '--version')

try {
  // Its output goes where it is not taken for the sandbox's own.
  if (!onlyTells) execSync('npm run build', { stdio: ['ignore', process.stderr, process.stderr] })
  void import('./cli')
} catch {
  // The build has said why.
  process.exitCode = 1
}
