import { pino, type Logger } from 'pino';

export type { Logger };

/** Structured logs, one JSON line each, on standard error; nothing that is called a token, a secret or a password is written. */
export function createLogger(level: string): Logger {
  const redact = [
    'token',
    'authorization',
    'secretKey',
    'password',
    '*.token',
    '*.authorization',
    '*.secretKey',
    '*.password',
  ];
  return pino({ level, redact, base: null }, pino.destination({ dest: 2, sync: true }));
}
