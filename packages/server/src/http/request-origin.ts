import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';

/** How a request reached the platform, where it came through proxies or under another name. */
export interface Approach {
  /** How many proxies of ours stand in front: as many last entries of X-Forwarded-For are believed. */
  trustedProxies: number;
  /** Where people reach the platform, such as `https://perennial.example`; null: as each request says. */
  publicUrl: string | null;
}

const DIRECT: Approach = { trustedProxies: 0, publicUrl: null };

/** The variable of Hono's context that holds the approach. */
export const APPROACH = 'approach';

function approachOf(c: Context): Approach {
  return (c.get(APPROACH) as Approach | undefined) ?? DIRECT;
}

/**
 * The network address of who sent the request; `in-process` where none did, as in a test. Behind proxies it is what the outermost of ours saw: what stands before
 * that in X-Forwarded-For is the sender's own word.
 */
export function addressOf(c: Context): string {
  return senderAddress(c.req.header('x-forwarded-for'), connectionAddress(c), approachOf(c));
}

/** As `addressOf`, of the header X-Forwarded-For and the address that the connection comes from. */
export function senderAddress(
  forwarded: string | undefined,
  connection: string,
  { trustedProxies }: Approach,
): string {
  const hops = trustedProxies === 0 ? [] : (forwarded?.split(',').map((hop) => hop.trim()) ?? []);
  return hops.at(-trustedProxies) ?? hops[0] ?? connection;
}

function connectionAddress(c: Context): string {
  // A request that came over no connection brings no bindings along.
  const overConnection = c.env !== undefined && 'incoming' in (c.env as object);
  return overConnection ? (getConnInfo(c).remote.address ?? 'unknown') : 'in-process';
}

/** Where a request came from, as it stands in the audit: `203.0.113.7 0190b0a4-…`. */
export function originOf(c: Context): string {
  return `${addressOf(c)} ${String(c.get('requestId'))}`;
}

/** Where the caller reached the platform: `http://localhost:4400`. */
export function baseUrlOf(c: Context): string {
  return approachOf(c).publicUrl ?? new URL(c.req.url).origin;
}
