import { once } from 'node:events';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { afterEach, describe, expect, it } from 'vitest';
import { PLATFORM_VERSION } from '@perennial/server';
import { perennial } from './testing/command-line.ts';

/** An address at which nobody answers: it was somebody's a moment ago. */
async function nobody(): Promise<string> {
  const server = createServer().listen(0, '127.0.0.1');
  await once(server, 'listening');
  const { port } = server.address() as AddressInfo;
  server.close();
  await once(server, 'close');
  return `http://127.0.0.1:${port}`;
}

const exitCode = process.exitCode;
afterEach(() => {
  // The status is returned; the process is the caller's.
  expect(process.exitCode).toBe(exitCode);
});

describe('a command line', () => {
  it('says its version and what is possible', async () => {
    expect(await perennial('--version')).toEqual({ status: 0, out: `${PLATFORM_VERSION}\n`, errors: '' });
    const { status, out } = await perennial('--help');
    expect(status).toBe(0);
    for (const command of ['up', 'run', 'models', 'predict', 'doctor'])
      expect(out).toContain(`  ${command} `);
  });

  it.each([
    ['nothing', [], /Usage: perennial/],
    ['an unknown command', ['fly'], /unknown command 'fly'/],
    ['an unknown option', ['models', '--fast'], /unknown option '--fast'/],
    ['a missing argument', ['run'], /missing required argument 'pipeline'/],
    ['an argument too many', ['models', 'a', 'b'], /too many arguments/],
    ['an option without its value', ['models', '--url'], /argument missing/],
    ['no instances', ['predict', 'm'], /Pass the instances with either --data/],
    [
      'instances twice',
      ['predict', 'm', '--data', '{}', '--file', 'x'],
      /Pass the instances with either --data/,
    ],
    ['a wait for what is answered at once', ['predict', 'm', '--data', '{}', '--wait'], /add --async/],
    ['instances that are no JSON', ['predict', 'm', '--data', '{'], /The instances are not valid JSON: /],
    [
      'a file that is not there',
      ['predict', 'm', '--file', '/nowhere/x.json'],
      /The file \/nowhere\/x\.json cannot be read/,
    ],
    ['a model that is none', ['models', 'No Model'], /'No Model' is not a model/],
    ['a version that is none', ['models', 'm@latest'], /'m@latest' is not a model/],
    ['a version of a version', ['models', 'm@1@2'], /'m@1@2' is not a model/],
    [
      'a time without a zone',
      ['run', 'p', '--as-of', '2001-03-01T00:00'],
      /--as-of '2001-03-01T00:00' is neither/,
    ],
    ['a time that is none', ['run', 'p', '--as-of', 'yesterday'], /--as-of 'yesterday' is neither/],
    [
      'an address that is none',
      ['models', '--url', 'nonsense'],
      /--url 'nonsense' is not the address of a platform/,
    ],
  ])('with %s ends with 2 and a sentence', async (...[, words, message]) => {
    const { status, out, errors } = await perennial(...words);
    expect(status).toBe(2);
    expect(errors).toMatch(message);
    expect(out).toBe('');
    expect(errors).not.toMatch(/\n\s+at /);
  });

  it.each([
    ['PERENNIAL_PORT', ['up', '--port', 'http']],
    ['PERENNIAL_ADMIN_TOKEN', ['up', '--host', '0.0.0.0']],
  ])('that sets a bad %s ends with 1 and what is allowed', async (variable, words) => {
    const { status, errors } = await perennial(...words);
    expect(status).toBe(1);
    expect(errors).toMatch(new RegExp(`^perennial: Bad configuration:\n  ${variable} must be`));
  });
});

describe('without a platform', () => {
  it.each([[['models']], [['run', 'p']], [['predict', 'm', '--data', '{}']]])(
    '%j says so, and how to start one',
    async (words) => {
      const url = await nobody();
      expect(await perennial(...words, '--url', url)).toEqual({
        status: 1,
        out: '',
        errors: `perennial: No answer from ${url}. Is the platform running? Start it with: perennial up\n`,
      });
    },
  );

  it('the doctor says what it can see of the machine', { timeout: 60_000 }, async () => {
    const { status, out } = await perennial('doctor', '--json', '--url', await nobody());
    const { checkups } = JSON.parse(out) as { checkups: { name: string; state: string }[] };
    expect(checkups.map(({ name }) => name)).toEqual(
      expect.arrayContaining(['platform', 'runtime', 'access', 'training backend']),
    );
    expect(checkups[0]).toMatchObject({ name: 'platform', state: 'weak' });
    expect(status).toBe(checkups.some(({ state }) => state === 'bad') ? 1 : 0);
  });
});
