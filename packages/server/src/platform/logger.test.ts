import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';

const LOGGER = new URL('../../dist/platform/logger.js', import.meta.url).href;
const SCRIPT = `
  const { createLogger } = await import(${JSON.stringify(LOGGER)});
  const logger = createLogger('info');
  logger.debug('too small');
  logger.info({ token: 'hunter2', s3: { secretKey: 'hunter2', password: 'hunter2' }, model: 'm' }, 'hello');`;

it('writes one line of JSON to standard error, without what is secret', async () => {
  const { stdout, stderr } = await promisify(execFile)(process.execPath, [
    '--input-type=module',
    '-e',
    SCRIPT,
  ]);
  expect(stdout).toBe('');
  const lines = stderr.trim().split('\n');
  expect(lines).toHaveLength(1);
  expect(JSON.parse(lines[0] ?? '')).toMatchObject({ msg: 'hello', model: 'm', token: '[Redacted]' });
  expect(stderr).not.toContain('hunter2');
});
