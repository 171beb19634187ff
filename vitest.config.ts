import { defineConfig } from 'vitest/config'
import { BaseSequencer, type TestSpecification } from 'vitest/node'

/** They change what a module is, so that they share none with other tests. */
const ISOLATED = ['src/endpoint/{post-message,public-addresses}.test.ts']

/** What is run apart: npm run test:unit needs no build, test:browser needs Chromium, test:node-18 another Node. */
const MODES: Record<string, string[]> = {
  unit: ['src/**/*.test.ts', 'sandbox/{bot,command-line,control,check-backend,inspector/browser}/**/*.test.ts'],
  test: ['{src,sandbox,tests}/**/*.test.ts'],
  browser: ['tests/browser/*.browser.ts'],
  'node-18': ['tests/node-18/*.node-18.ts'],
}

const test = {
  // A busy machine takes its time.
  testTimeout: 120_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 60_000 } },
  maxConcurrency: 50,
  restoreMocks: true,
  // The endpoints of the tests are on this machine.
  env: { ALLOW_PRIVATE_ENDPOINTS: 'true' },
}

/** Begins with the files that wait longest for real limits: without earlier times to go by, the last would run alone. */
class SlowFirst extends BaseSequencer {
  override async sort(files: TestSpecification[]) {
    const isSlow = ({ moduleId }: TestSpecification) =>
      /\b(soak|slow|slow-endpoints|hangs|failures|bounds|bridge|cli|pull|check-backend|control)\.test/.test(moduleId)
    // oxlint-disable-next-line unicorn/no-array-sort
    const sorted = await super.sort(files)
    return [...sorted.filter(isSlow), ...sorted.filter((file) => !isSlow(file))]
  }
}

export default defineConfig(({ mode }) => ({
  test: {
    // More than a small machine has processors: many tests wait for real limits.
    maxWorkers: mode === 'browser' ? 3 : 8,
    sequence: { sequencer: SlowFirst },
    projects: [
      { test: { ...test, include: MODES[mode], exclude: ISOLATED, isolate: false } },
      ...(['test', 'unit'].includes(mode) ? [{ test: { ...test, name: 'isolated', include: ISOLATED } }] : []),
    ],
  },
}))
