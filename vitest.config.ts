import { defineConfig } from 'vitest/config';
import { SkipSummaryReporter } from './test/harness/skip-summary.ts';

/** TensorFlow.js is one for a process, with its tensors and its backend. */
const TRAINING = 'packages/training/src/**/*.test.ts';

export default defineConfig({
  test: {
    exclude: ['**/dist/**', '**/node_modules/**'],
    globalSetup: ['packages/storage/src/testing/global-setup.ts'],
    setupFiles: ['test/harness/fixed-seed.ts'],
    pool: 'forks',
    testTimeout: 120_000,
    hookTimeout: 180_000,
    maxWorkers: 2,
    reporters: ['default', new SkipSummaryReporter()],
    projects: [
      {
        extends: true,
        test: {
          name: 'packages',
          include: ['packages/*/src/**/*.test.ts'],
          exclude: ['**/dist/**', '**/node_modules/**', TRAINING],
          // Files of one process share what they import, which for 280 files takes a third of the time away. They must leave nothing behind in it.
          isolate: false,
        },
      },
      {
        extends: true,
        test: { name: 'platform', include: [TRAINING, 'test/**/*.test.ts', 'pipelines/**/*.test.ts'] },
      },
    ],
  },
});
