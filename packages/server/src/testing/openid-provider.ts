import { createServer, type IncomingMessage, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import Provider, { type Configuration } from 'oidc-provider';

/** A real OpenID provider in this process, where whoever asks is signed in as the person that is set. */
export interface OpenIdProvider {
  issuer: string;
  clientId: string;
  clientSecret: string;
  /** Who signs in next, by their claims. */
  person: Record<string, unknown>;
  /** Goes through the provider's pages as a browser would, from where the platform sent it to where it is sent back. */
  visit(url: string): Promise<URL>;
  close(): Promise<void>;
}

export async function startOpenIdProvider(redirectUri: string): Promise<OpenIdProvider> {
  const server = createServer();
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const issuer = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const client = { clientId: 'perennial', clientSecret: 'the-secret-of-the-client' };
  const running: OpenIdProvider = {
    issuer,
    ...client,
    person: { sub: 'nobody' },
    visit: (url) => visit(url, redirectUri),
    close: () => close(server),
  };
  const provider = new Provider(issuer, configuration(running, redirectUri));
  const callback = provider.callback();
  server.on('request', (request, response) => {
    const interactive = request.url?.startsWith('/interaction/') === true;
    void (interactive ? interact(provider, running, { request, response }) : callback(request, response));
  });
  return running;
}

function configuration(running: OpenIdProvider, redirectUri: string): Configuration {
  return {
    clients: [
      {
        client_id: running.clientId,
        client_secret: running.clientSecret,
        redirect_uris: [redirectUri],
        response_types: ['code'],
        grant_types: ['authorization_code'],
        application_type: 'native',
      },
    ],
    claims: { openid: ['sub'], email: ['email', 'email_verified'], profile: ['groups', 'name'] },
    pkce: { required: () => true },
    cookies: { keys: ['a-key-of-the-test'] },
    features: { devInteractions: { enabled: false } },
    interactions: { url: (_, { uid }) => `/interaction/${uid}` },
    findAccount: (_, id) => ({
      accountId: id,
      claims: () => ({ ...running.person, sub: id }),
    }),
  };
}

/** Signs the person in and agrees to everything, which is what the pages of a provider are for. */
async function interact(
  provider: Provider,
  { person, clientId }: OpenIdProvider,
  { request, response }: { request: IncomingMessage; response: ServerResponse },
): Promise<void> {
  const { prompt } = await provider.interactionDetails(request, response);
  const accountId = String(person['sub']);
  if (prompt.name === 'login')
    return provider.interactionFinished(request, response, { login: { accountId } });
  const grant = new provider.Grant({ accountId, clientId });
  grant.addOIDCScope('openid email profile');
  return provider.interactionFinished(request, response, { consent: { grantId: await grant.save() } });
}

async function visit(start: string, redirectUri: string): Promise<URL> {
  const cookies = new Map<string, string>();
  let url = new URL(start);
  for (let hop = 0; hop < 12 && !url.href.startsWith(redirectUri); hop++) {
    const cookie = Array.from(cookies, ([name, value]) => `${name}=${value}`).join('; ');
    const response = await fetch(url, { redirect: 'manual', headers: { cookie } });
    for (const line of response.headers.getSetCookie()) {
      const [name = '', value = ''] = (line.split(';')[0] ?? '').split('=');
      cookies.set(name, value);
    }
    const location = response.headers.get('location');
    if (location === null)
      throw new Error(`The provider answered ${response.status}: ${await response.text()}`);
    url = new URL(location, url);
  }
  return url;
}

function close(server: Server): Promise<void> {
  server.closeAllConnections();
  return new Promise((resolve) => server.close(() => resolve()));
}
