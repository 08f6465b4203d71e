import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import { expect, it } from 'vitest';
import { createLogger } from './logger.ts';

const LOGGER = new URL('../../dist/platform/logger.js', import.meta.url).href;
const SCRIPT = `
  const { createLogger } = await import(${JSON.stringify(LOGGER)});
  const logger = createLogger('info');
  logger.debug('too small');
  logger.info({ token: 'hunter2', s3: { secretKey: 'hunter2', password: 'hunter2' }, model: 'm' }, 'hello');`;

it('redacts what is secret, three levels deep', () => {
  const lines: string[] = [];
  const logger = createLogger('info', { write: (line) => void lines.push(line) });
  for (const name of [
    'token',
    'authorization',
    'cookie',
    'set-cookie',
    'secret',
    'clientSecret',
    'password',
  ]) {
    const entry = { [name]: 'hunter2' };
    logger.info({ ...entry, a: entry, b: { headers: entry } }, 'hello');
  }
  expect(lines).toHaveLength(7);
  for (const line of lines) {
    expect(line).not.toContain('hunter2');
    expect(line.match(/\[Redacted\]/g)).toHaveLength(3);
  }
});

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
