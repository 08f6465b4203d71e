import { getConnInfo } from '@hono/node-server/conninfo';
import type { Context } from 'hono';

/** The network address of who sent the request; `in-process` where none did, as in a test. */
export function addressOf(c: Context): string {
  // A request that came over no connection brings no bindings along.
  return c.env === undefined || !('incoming' in (c.env as object))
    ? 'in-process'
    : (getConnInfo(c).remote.address ?? 'unknown');
}

/** Where a request came from, as it stands in the audit: `203.0.113.7 0190b0a4-…`. */
export function originOf(c: Context): string {
  return `${addressOf(c)} ${String(c.get('requestId'))}`;
}
