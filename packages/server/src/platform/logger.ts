import { pino, type DestinationStream, type Logger } from 'pino';

export type { Logger };

/** What is never written, wherever in the first three levels of an entry it stands. */
const SECRET_NAMES = [
  'token',
  'adminToken',
  'authorization',
  'cookie',
  '["set-cookie"]',
  'secret',
  'secretKey',
  'clientSecret',
  'password',
];

/** Structured logs, one JSON line each, on standard error; nothing that is called a token, a secret, a cookie or a password is written. */
export function createLogger(level: string, destination: DestinationStream = standardError()): Logger {
  const redact = SECRET_NAMES.flatMap((name) => {
    const below = name.startsWith('[') ? name : `.${name}`;
    return [name, `*${below}`, `*.*${below}`];
  });
  return pino({ level, redact, base: null }, destination);
}

function standardError(): DestinationStream {
  return pino.destination({ dest: 2, sync: true });
}
