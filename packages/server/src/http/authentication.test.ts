import { describe, expect, it } from 'vitest';
import { ForbiddenError, ForeignHostError, UnauthenticatedError } from '../errors.ts';
import { authenticator, authorize, type Credentials } from './authentication.ts';

const TOKEN = 'a-token-of-some-length';
const credentials = (given: Partial<Credentials>): Credentials => ({
  method: 'GET',
  authorization: undefined,
  cookie: undefined,
  host: undefined,
  origin: undefined,
  fetchSite: undefined,
  address: '203.0.113.7',
  ...given,
});

describe('with an admin token', () => {
  const authenticate = authenticator(TOKEN);

  it('its bearer is the admin, wherever the request was sent to and came from', () => {
    const given = {
      authorization: `Bearer ${TOKEN}`,
      host: 'perennial.example',
      origin: 'https://x.example',
    };
    expect(authenticate(credentials(given))).toMatchObject({
      name: 'token:admin',
      roles: ['admin'],
      models: null,
    });
  });

  it.each([
    undefined,
    '',
    'Bearer',
    'Bearer ',
    `Bearer ${TOKEN} `,
    `Bearer ${TOKEN}x`,
    `Bearer ${TOKEN.slice(0, -1)}`,
    `Bearer ${TOKEN.toUpperCase()}`,
    `Basic ${TOKEN}`,
    TOKEN,
    `Bearer ${'x'.repeat(100_000)}`,
  ])('nobody else is let in, localhost or not (%#)', (authorization) => {
    expect(() => authenticate(credentials({ authorization, host: 'localhost' }))).toThrow(
      UnauthenticatedError,
    );
  });

  it('does not say what is wrong with a token', () => {
    const messages = [undefined, 'Bearer x', `Bearer ${TOKEN}x`].map((authorization) => {
      try {
        authenticate(credentials({ authorization }));
        return undefined;
      } catch (error) {
        return (error as Error).message;
      }
    });
    expect(new Set(messages).size).toBe(1);
    expect(messages[0]).not.toContain(TOKEN);
  });
});

describe('without a token', () => {
  const authenticate = authenticator(null);

  it.each(['localhost', 'localhost:8080', '127.0.0.1:8080', '[::1]:8080', '[::1]'])(
    'a request sent to %s is this machine’s own',
    (host) => {
      expect(authenticate(credentials({ host }))).toMatchObject({
        name: 'local',
        roles: ['admin'],
        models: null,
      });
    },
  );

  it.each([
    undefined,
    '',
    'evil.example',
    'evil.example:8080',
    'localhost.evil.example',
    '127.0.0.1.evil.example',
    'evil.example#localhost',
    'localhost:8080.evil.example',
    'localhost:',
    '0.0.0.0:8080',
    '10.0.0.1',
  ])('a request sent to %j is refused: somebody may have pointed that name here', (host) => {
    expect(() => authenticate(credentials({ host }))).toThrow(ForeignHostError);
  });

  it.each(['http://localhost:8080', 'http://127.0.0.1:5173', 'https://[::1]:8080'])(
    'a page of %s may ask',
    (origin) => {
      expect(authenticate(credentials({ host: 'localhost:8080', origin })).name).toBe('local');
    },
  );

  it.each([
    'https://evil.example',
    'http://localhost.evil.example',
    'null',
    '',
    'http://localhost@evil.example',
  ])('a page of %j may not, though it asks localhost', (origin) => {
    expect(() => authenticate(credentials({ host: 'localhost:8080', origin }))).toThrow(ForeignHostError);
  });
});

it('a principal may do what its roles allow', () => {
  const viewer = { name: 'v', roles: ['viewer'] as const, models: null };
  expect(() => authorize(viewer, 'viewer')).not.toThrow();
  expect(() => authorize(viewer, 'approver')).toThrow(ForbiddenError);
  expect(() => authorize({ name: 'nobody', roles: [], models: null }, 'viewer')).toThrow(ForbiddenError);
});
