import * as openid from 'openid-client';
import type { OpenIdConfig } from '../config/role-mapping.ts';
import type { Logger } from '../platform/logger.ts';
import { SignInFailedError } from '../errors.ts';
import type { Principal } from '../http/authentication.ts';
import { nameOf, rolesOf } from './openid-roles.ts';

/** What a sign-in that is under way must come back with; kept in the browser that began it. */
export interface SignInTransaction {
  state: string;
  nonce: string;
  verifier: string;
}

const SCOPE = 'openid email profile';

/**
 * Sign-in by OpenID Connect: authorization code flow with PKCE (RFC 7636), state and nonce (OpenID Connect Core 1.0, section 3.1).
 */
export class OpenIdSignIn {
  readonly #config: OpenIdConfig;
  readonly #logger: Logger;
  #provider: Promise<openid.Configuration> | undefined;

  constructor(config: OpenIdConfig, logger: Logger) {
    this.#config = config;
    this.#logger = logger;
  }

  /** Where to send the browser, and what it must come back with. @throws SignInFailedError */
  async begin(redirectUri: string): Promise<{ url: URL; transaction: SignInTransaction }> {
    const provider = await this.#discover();
    const verifier = openid.randomPKCECodeVerifier();
    const transaction = { state: openid.randomState(), nonce: openid.randomNonce(), verifier };
    const url = openid.buildAuthorizationUrl(provider, {
      redirect_uri: redirectUri,
      scope: SCOPE,
      code_challenge: await openid.calculatePKCECodeChallenge(verifier),
      code_challenge_method: 'S256',
      state: transaction.state,
      nonce: transaction.nonce,
    });
    return { url, transaction };
  }

  /**
   * Who came back from the provider.
   * @param returned the address that the browser came back to, with its query
   * @throws SignInFailedError when the provider did not vouch for this browser's sign-in, or gives the person no role here
   */
  async finish(returned: URL, { state, nonce, verifier }: SignInTransaction): Promise<Principal> {
    const provider = await this.#discover();
    const claims = await this.#claims(provider, returned, { state, nonce, verifier }).catch(
      (cause: unknown) => {
        this.#logger.warn({ reason: reasonOf(cause) }, 'a sign-in by OpenID Connect failed');
        throw new SignInFailedError('unauthenticated', 'The sign-in did not succeed: begin again.', {
          cause,
        });
      },
    );
    const roles = rolesOf(claims, this.#config.mapping);
    const name = nameOf(claims);
    if (roles.length === 0) {
      const message = `You are signed in as ${name}, but none of your groups has a role here.`;
      throw new SignInFailedError('forbidden', message);
    }
    return { name, roles, models: null };
  }

  async #claims(provider: openid.Configuration, returned: URL, transaction: SignInTransaction) {
    const tokens = await openid.authorizationCodeGrant(provider, returned, {
      pkceCodeVerifier: transaction.verifier,
      expectedState: transaction.state,
      expectedNonce: transaction.nonce,
      idTokenExpected: true,
    });
    const claims: Record<string, unknown> = { ...tokens.claims() };
    if (this.#config.mapping.claim in claims || provider.serverMetadata().userinfo_endpoint === undefined)
      return claims;
    const more = await openid.fetchUserInfo(provider, tokens.access_token, String(claims['sub']));
    return { ...more, ...claims };
  }

  /** Found when it is first needed, so that a provider that is away keeps no server from starting. */
  async #discover(): Promise<openid.Configuration> {
    const { issuer, clientId, clientSecret } = this.#config;
    const url = new URL(issuer);
    const options = url.protocol === 'http:' ? { execute: [openid.allowInsecureRequests] } : {};
    this.#provider ??= openid.discovery(url, clientId, clientSecret, undefined, options);
    try {
      return await this.#provider;
    } catch (cause) {
      this.#provider = undefined;
      this.#logger.warn({ reason: reasonOf(cause), issuer }, 'the identity provider does not answer');
      throw new SignInFailedError('unavailable', 'The identity provider does not answer.', { cause });
    }
  }
}

/** Without the response that an error may carry, in which tokens may stand. */
function reasonOf(cause: unknown): string {
  if (!(cause instanceof Error)) return 'unknown';
  const code = 'code' in cause ? ` (${String(cause.code)})` : '';
  return `${cause.message}${code}`;
}
