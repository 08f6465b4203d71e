import { lookup } from 'node:dns/promises';
import { isIP } from 'node:net';
import { WebhookAddressError } from '../errors.ts';
import { specialClassOf } from './address-class.ts';

/** An address that a name stands for. */
export interface HostAddress {
  address: string;
  family: 4 | 6;
}

/** What webhooks may reach, and how. */
export interface WebhookNetwork {
  /** Whether addresses of the machine's own network may be sent to, the machine's own among them. */
  allowPrivate: boolean;
  /** All addresses of a host name. @default the machine's resolver */
  resolve?: (hostname: string) => Promise<HostAddress[]>;
  /** For one attempt, from resolving the name to the end of the answer. @default 10000 */
  timeoutMilliseconds?: number;
}

/**
 * The addresses behind a URL, every one of them checked. Whoever connects must connect to one of these and not resolve the name again: a name may stand for
 * another address the next time it is asked for.
 * @throws WebhookAddressError when one of them is not public and the network does not allow that, or there is none
 */
export async function addressesOf(url: URL, network: WebhookNetwork): Promise<HostAddress[]> {
  const hostname = url.hostname.replace(/^\[(.*)\]$/, '$1');
  const addresses = await resolveHost(hostname, network);
  if (network.allowPrivate) return addresses;
  for (const { address } of addresses) {
    const special = specialClassOf(address);
    if (special !== undefined) throw new WebhookAddressError(refusal(hostname, { address, special }));
  }
  return addresses;
}

async function resolveHost(
  hostname: string,
  { resolve = resolveByMachine }: WebhookNetwork,
): Promise<HostAddress[]> {
  const family = isIP(hostname);
  if (family === 4 || family === 6) return [{ address: hostname, family }];
  const addresses = await resolve(hostname).catch((cause: unknown) => {
    throw new WebhookAddressError(`the host '${hostname}' cannot be found`, { cause });
  });
  if (addresses.length === 0) throw new WebhookAddressError(`the host '${hostname}' has no address`);
  return addresses;
}

async function resolveByMachine(hostname: string): Promise<HostAddress[]> {
  const found = await lookup(hostname, { all: true, verbatim: true });
  return found.map(({ address, family }) => ({ address, family: family === 6 ? 6 : 4 }));
}

function refusal(hostname: string, { address, special }: { address: string; special: string }): string {
  const leads = hostname === address ? address : `${hostname} leads to ${address}, which`;
  return `${leads} is not a public address (${special}); PERENNIAL_WEBHOOK_ALLOW_PRIVATE=true allows such addresses`;
}
