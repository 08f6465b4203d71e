import { describeError } from '@perennial/contract';
import { problemHeaders } from '../http/problems.ts';

/** An error in the protocol's way: one sentence. */
export function tellError(error: unknown): { headers: Record<string, string>; body: string } {
  const headers = { ...problemHeaders(error), 'content-type': 'application/json' };
  return { headers, body: JSON.stringify({ error: describeError(error).message }) };
}
