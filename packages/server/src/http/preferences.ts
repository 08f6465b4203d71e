import type { Context } from 'hono';

/**
 * Whether the request asks to be answered later: the preference `respond-async` of RFC 7240, section 4.1, which may stand among others, in any case, with a parameter
 * that means nothing.
 */
export function prefersAsync(c: Context): boolean {
  const prefer = c.req.header('prefer');
  if (prefer === undefined) return false;
  return prefer.split(',').some((one) => /^\s*respond-async\s*(;|$)/i.test(one));
}
