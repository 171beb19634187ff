import { defineConfig } from 'vitest/config'

export default defineConfig({
  test: {
    include: ['{src,sandbox,tests}/**/*.test.ts'],
    testTimeout: 20_000,
  },
})
