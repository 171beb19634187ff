import { defineConfig } from 'vitest/config'

export default defineConfig(({ mode }) => ({
  test: {
    // npm test needs no browser; npm run test:browser needs Chromium.
    include: mode === 'browser' ? ['tests/browser/*.browser.ts'] : ['{src,sandbox,tests}/**/*.test.ts'],
    testTimeout: 20_000,
    maxConcurrency: 50,
    maxWorkers: 2,
    // The endpoints of the tests are on this machine.
    env: { ALLOW_PRIVATE_ENDPOINTS: 'true' },
  },
}))
