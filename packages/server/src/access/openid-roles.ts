import type { Role } from '@perennial/contract';
import type { RoleMapping } from '../config/role-mapping.ts';

/** The roles of a person: those of every group in the claim, which is a list, or a text of words with commas or spaces between them. */
export function rolesOf(claims: Readonly<Record<string, unknown>>, { claim, roles }: RoleMapping): Role[] {
  const value = claims[claim];
  const groups =
    typeof value === 'string' ? value.split(/[\s,]+/) : Array.isArray(value) ? (value as unknown[]) : [];
  const held = groups.flatMap((group) => (typeof group === 'string' ? (roles.get(group) ?? []) : []));
  return [...new Set(held)];
}

/**
 * What a person is called in events and audit. It tells people apart (nobody approves their own request), so it is what the provider vouches for: the address where it
 * says that it verified it, otherwise the subject, which never goes to another.
 */
export function nameOf(claims: Readonly<Record<string, unknown>>): string {
  const { email, email_verified: verified, sub } = claims;
  return `user:${verified === true && typeof email === 'string' ? email.toLowerCase() : String(sub)}`;
}
