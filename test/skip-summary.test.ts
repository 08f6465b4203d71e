import { spawnSync } from 'node:child_process';
import { mkdir, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { summarizeSkips } from './harness/skip-summary.ts';
import { scratchFolder } from './harness/test-platform.ts';

const VITEST = fileURLToPath(new URL('../node_modules/vitest/vitest.mjs', import.meta.url));
const REPORTER = fileURLToPath(new URL('harness/skip-summary.ts', import.meta.url));

describe('the reasons of skipped tests', () => {
  it('are counted, what CI must have told apart from what it may lack', () => {
    const s3 = { file: 'packages/storage/src/artifacts/s3-artifact-store.test.ts', name: 'a bucket > x' };
    const checker = { file: 'packages/onnx/src/onnx-checker.test.ts', name: 'finds every file sound' };
    const mount = { file: 'packages/storage/src/x.test.ts', name: 'a full disk', note: 'needs root' };
    const native = { file: 'packages/training/src/native.test.ts', name: 'tfjs-node > is not installed' };
    expect(summarizeSkips([mount, s3, s3, checker, native])).toEqual({
      lines: [
        '2 skipped: no S3 server (S3_TEST_ENDPOINT)',
        '1 skipped: needs root',
        '1 skipped: no Python with onnx and scikit-learn (PERENNIAL_TEST_PYTHON)',
        '1 skipped: tfjs-node > is not installed',
      ],
      wanting: 3,
    });
  });

  it('are none where nothing is skipped', () => {
    expect(summarizeSkips([])).toEqual({ lines: [], wanting: 0 });
  });
});

describe('a run of tests', () => {
  let folder: string;
  let remove: () => Promise<void>;
  beforeAll(async () => {
    ({ folder, remove } = await scratchFolder());
    await mkdir(join(folder, 'wanting'));
    await mkdir(join(folder, 'content'));
    const reporter = `
      import { defineConfig } from 'vitest/config';
      import { SkipSummaryReporter } from '${REPORTER}';
      export default defineConfig({ test: { reporters: ['default', new SkipSummaryReporter()] } });`;
    await writeFile(join(folder, 'vitest.config.mjs'), reporter);
    const file = (name: string) => `
      import { expect, it } from 'vitest';
      it.skip(${JSON.stringify(name)}, () => undefined);
      it('runs', () => expect(1).toBe(1));`;
    await writeFile(join(folder, 'wanting', 'one.test.js'), file('with the store at S3_TEST_ENDPOINT'));
    await writeFile(join(folder, 'content', 'two.test.js'), file('on another machine'));
  });
  afterAll(() => remove());

  function runTests(which: string, CI: string): { status: number | null; stdout: string } {
    const args = [VITEST, 'run', '--root', folder, which];
    const { status, stdout } = spawnSync(process.execPath, args, {
      env: { PATH: process.env['PATH'], CI },
      encoding: 'utf8',
    });
    return { status, stdout };
  }

  it('says what it skipped and why, and is green for it on a bare machine', () => {
    const { status, stdout } = runTests('wanting', '');
    expect(stdout).toContain('1 skipped: no S3 server (S3_TEST_ENDPOINT)\n');
    expect(status).toBe(0);
  });

  it('is red in CI when it skipped what CI must have', () => {
    const { status, stdout } = runTests('wanting', 'true');
    expect(stdout).toContain('1 tests may not be skipped in CI.\n');
    expect(status).toBe(1);
  });

  it('is green in CI when it skipped what CI may lack', () => {
    const { status, stdout } = runTests('content', 'true');
    expect(stdout).toContain('1 skipped: on another machine\n');
    expect(status).toBe(0);
  });
});
