import { defineConfig } from 'vitest/config';
import { SkipSummaryReporter } from './test/harness/skip-summary.ts';

export default defineConfig({
  test: {
    include: ['packages/*/src/**/*.test.ts', 'test/**/*.test.ts', 'pipelines/**/*.test.ts'],
    exclude: ['**/dist/**', '**/node_modules/**'],
    globalSetup: ['packages/storage/src/testing/global-setup.ts'],
    setupFiles: ['test/harness/fixed-seed.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    reporters: ['default', new SkipSummaryReporter()],
  },
});
