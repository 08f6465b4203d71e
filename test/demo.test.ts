import { execFile } from 'node:child_process';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { promisify } from 'node:util';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { scratchFolder } from './harness/test-platform.ts';

const REPLAY = fileURLToPath(new URL('../pipelines/dist/flight-delay/replay.js', import.meta.url));
const run = promisify(execFile);

let folder: string;
let remove: () => Promise<void>;
beforeAll(async () => {
  ({ folder, remove } = await scratchFolder());
});
afterAll(() => remove());

/** The demo as `npm run demo` starts it. */
async function replay(...options: string[]): Promise<string[]> {
  const home = join(folder, 'home');
  const args = [REPLAY, '--exit', '--port', '0', '--home', home, ...options];
  const { stdout } = await run(process.execPath, args, { env: { ...process.env, DATABASE_URL: '' } });
  return stdout.split('\n').filter((line) => line !== '');
}

describe('the demo', () => {
  it(
    'replays two days of flights, and goes on with the next day when it is started again',
    { timeout: 240_000 },
    async () => {
      const [, , first, second, summary] = await replay('--days', '2');
      expect(first).toMatch(/^2001-02-01 +262,717 .* no-baseline +v1 +0\.\d{4} +[+−]0\.\d{3}$/);
      expect(second).toMatch(
        /^2001-02-02 +263,023 +0\.\d{4} +0\.\d{4} +[+−]0\.\d{4} \[[+−]0\.\d{4}, [+−]0\.\d{4}\] +(pass|fail|inconclusive) +v[12] /,
      );
      expect(summary).toMatch(
        /2 versions made.*34,199 predictions asked over HTTP, 34,199 with ground truth\.$/,
      );
      const [, , third] = await replay('--days', '1');
      expect(third).toMatch(/^2001-02-03 /);
    },
  );

  it.each([
    [['--days', '0'], /--days must be/],
    [['--from', '1999-01-01'], /--from must be/],
    [['--nonsense'], /nonsense/],
  ])('refuses %j with a sentence', async (options, message) => {
    await expect(replay(...options)).rejects.toMatchObject({
      code: 1,
      stderr: expect.stringMatching(message) as string,
    });
  });
});
