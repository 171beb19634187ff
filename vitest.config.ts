import { defineConfig } from 'vitest/config'

const UNIT = '{src,sandbox,check-backend}/**/*.test.ts'

/** What is run apart: npm run test:unit needs no build, test:browser needs Chromium, test:node-18 another Node. */
const MODES: Record<string, string[]> = {
  unit: ['src/**/*.test.ts', 'sandbox/{bot,command-line,page/browser}/**/*.test.ts', 'check-backend/**/*.test.ts'],
  browser: ['tests/browser/*.browser.ts'],
  'node-18': ['tests/node-18/*.node-18.ts'],
}

const test = {
  // A busy machine takes its time.
  testTimeout: 120_000,
  hookTimeout: 60_000,
  expect: { poll: { timeout: 60_000 } },
  maxConcurrency: 50,
  // The endpoints of the tests are on this machine.
  env: { ALLOW_PRIVATE_ENDPOINTS: 'true' },
}

export default defineConfig(({ mode }) => ({
  test: {
    // More than a small machine has processors: many tests wait for real limits.
    maxWorkers: mode === 'browser' ? 3 : 8,
    projects: MODES[mode]
      ? [{ test: { ...test, include: MODES[mode], isolate: mode === 'unit' } }]
      : [
          { test: { ...test, name: 'unit', include: [UNIT] } },
          // From outside: no test of them changes a module, so that they share what they import.
          { test: { ...test, name: 'end to end', include: ['tests/**/*.test.ts'], isolate: false } },
        ],
  },
}))
