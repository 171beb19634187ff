import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{src,sandbox,tests}/**/*.test.ts'],
    testTimeout: 20_000,
    maxConcurrency: 50,
    maxWorkers: 2,
    // The endpoints of the tests are on this machine.
    env: { ALLOW_PRIVATE_ENDPOINTS: 'true' },
  },
})
