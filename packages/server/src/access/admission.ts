import type { Role, Route } from '@perennial/contract';
import type { Context } from 'hono';
import {
  authorize,
  credentialsOf,
  type Authenticate,
  type Credentials,
  type Principal,
} from '../http/authentication.ts';
import { holdToModels, type ScopedRequest, type ScopedRoute } from './model-scope.ts';
import type { RequestLimits } from './request-limits.ts';
import type { ResourceOwners } from './resource-owners.ts';

/** What lets callers in to the routes of any table. */
export interface Admission {
  authenticate: Authenticate;
  /** Absent: nobody is limited. */
  limits?: RequestLimits;
  /** Absent where nothing but models is asked for. */
  owners?: ResourceOwners;
}

const ANYBODY: Principal = { name: 'anonymous', roles: [], models: [] };

/**
 * Who is asking, if they may call a route of that role at all; to be asked before anything of the request is read.
 * @throws UnauthenticatedError, ForbiddenError, ForeignHostError, CrossSiteRequestError, RateLimitedError
 */
export async function admit(
  c: Context,
  role: Route['role'],
  { authenticate, limits }: Admission,
): Promise<Principal> {
  if (role === 'public') return ANYBODY;
  return admitCaller(credentialsOf(c), role, { authenticate, limits });
}

/**
 * As `admit`, for a request of any server; at once wherever memory suffices, as with a token.
 * @throws UnauthenticatedError, ForbiddenError, ForeignHostError, CrossSiteRequestError, RateLimitedError, at once or by the promise
 */
export function admitCaller(
  credentials: Credentials,
  role: Role,
  { authenticate, limits }: Pick<Admission, 'authenticate'> & { limits: RequestLimits | undefined },
): Principal | Promise<Principal> {
  const admitted = (principal: Principal) => {
    limits?.count(principal);
    authorize(principal, role);
    return principal;
  };
  const answer = authenticate(credentials);
  return answer instanceof Promise ? answer.then(admitted) : admitted(answer);
}

/**
 * Holds the caller to its models, once the request's parts are checked.
 * @throws ForeignModelError
 */
export async function admitToModels(
  principal: Principal,
  { route, request }: { route: ScopedRoute; request: ScopedRequest },
  { owners }: Admission,
): Promise<void> {
  if (principal.models === null) return;
  await holdToModels(principal, { route, request, owners });
}
