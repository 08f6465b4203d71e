import { parse, serialize } from 'hono/utils/cookie';

/** A cookie of ours: under `__Host-` a browser takes it only over TLS, from this very host, for the whole of it, so that no sibling domain can plant one. */
export interface CookieOptions {
  /** Without the prefix: `perennial`. */
  name: string;
  /** Where the browser reached the platform. */
  baseUrl: string;
  maxAgeSeconds: number;
  /** @default 'Strict' */
  sameSite?: 'Strict' | 'Lax';
}

const LOOPBACK = new Set(['localhost', '127.0.0.1', '[::1]']);

/** Whether cookies can be kept to TLS: everywhere but on plain http of this very machine, where there is none. */
function isSecure(baseUrl: string): boolean {
  const { protocol, hostname } = new URL(baseUrl);
  return protocol === 'https:' || !LOOPBACK.has(hostname);
}

const prefixed = (name: string, secure: boolean) => (secure ? `__Host-${name}` : name);

/** The header Set-Cookie that gives a browser the value. */
export function cookieHeader(
  value: string,
  { name, baseUrl, maxAgeSeconds, sameSite = 'Strict' }: CookieOptions,
): string {
  const secure = isSecure(baseUrl);
  return serialize(prefixed(name, secure), value, {
    path: '/',
    httpOnly: true,
    secure,
    sameSite,
    maxAge: maxAgeSeconds,
  });
}

/** The header Set-Cookie that takes it away again. */
export function expiredCookieHeader(options: Omit<CookieOptions, 'maxAgeSeconds'>): string {
  return cookieHeader('', { ...options, maxAgeSeconds: 0 });
}

/** The value that a browser sent; under the bare name only where cookies are given under it, as anyone beside us may plant one there. */
export function cookieValue(
  cookie: string | undefined,
  { name, host }: { name: string; host: string | undefined },
): string | undefined {
  if (cookie === undefined) return undefined;
  const values = parse(cookie);
  const bare = LOOPBACK.has(host?.replace(/:\d+$/, '') ?? '') ? values[name] : undefined;
  const value = values[prefixed(name, true)] ?? bare;
  return value === '' ? undefined : value;
}

export const SESSION_COOKIE = 'perennial';
