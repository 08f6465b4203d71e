import { createHash, timingSafeEqual } from 'node:crypto';
import { allows, type Role } from '@perennial/contract';
import { ForbiddenError, ForeignHostError, UnauthenticatedError } from '../errors.ts';

/** Who is asking. */
export interface Principal {
  /** As it stands in events and audit: `token:admin`, `local`. */
  name: string;
  roles: readonly Role[];
}

export interface Credentials {
  authorization: string | undefined;
  host: string | undefined;
}

/** Tells who is asking, or refuses. */
export type Authenticate = (credentials: Credentials) => Principal;

const LOCAL_NAMES = /^(localhost|127\.0\.0\.1|\[::1\])(:\d+)?$/;

/**
 * With an admin token, only its bearer is let in. Without one (loopback, development) everyone on this machine is, provided that the request was
 * sent to a name of this machine: a web page that points a name of its own at 127.0.0.1 is refused (DNS rebinding).
 */
export function authenticator(adminToken: string | null): Authenticate {
  if (adminToken === null) return authenticateLocal;
  const expected = sha256(adminToken);
  return ({ authorization }) => {
    const given = authorization?.startsWith('Bearer ') === true ? authorization.slice(7) : undefined;
    if (given === undefined || !timingSafeEqual(sha256(given), expected)) throw new UnauthenticatedError();
    return { name: 'token:admin', roles: ['admin'] };
  };
}

function authenticateLocal({ host }: Credentials): Principal {
  if (host === undefined || !LOCAL_NAMES.test(host)) throw new ForeignHostError();
  return { name: 'local', roles: ['admin'] };
}

/** @throws ForbiddenError */
export function authorize(principal: Principal, role: Role): void {
  if (!allows(principal.roles, role)) throw new ForbiddenError(role);
}

function sha256(text: string): Buffer {
  return createHash('sha256').update(text).digest();
}
