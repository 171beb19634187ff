import { defineConfig } from 'vitest/config'

/** What needs more than npm ci is run apart: npm run test:browser needs Chromium, npm run test:node-18 another Node. */
const MODES: Record<string, string[]> = {
  browser: ['tests/browser/*.browser.ts'],
  'node-18': ['tests/node-18/*.node-18.ts'],
}

export default defineConfig(({ mode }) => ({
  test: {
    include: MODES[mode] ?? ['{src,sandbox,check-backend,tests}/**/*.test.ts'],
    // A busy machine takes its time.
    testTimeout: 60_000,
    hookTimeout: 60_000,
    expect: { poll: { timeout: 20_000 } },
    maxConcurrency: 50,
    // More than a small machine has processors: many tests wait for a while.
    maxWorkers: 3,
    // The endpoints of the tests are on this machine.
    env: { ALLOW_PRIVATE_ENDPOINTS: 'true' },
  },
}))
