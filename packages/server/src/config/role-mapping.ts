import { roleSchema, type Role } from '@perennial/contract';
import { z } from 'zod';

/** How an installation's groups become roles. */
export interface RoleMapping {
  /** The claim that names a person's groups. */
  claim: string;
  /** Roles of each group. */
  roles: ReadonlyMap<string, readonly Role[]>;
}

/** How people sign in by OpenID Connect. */
export interface OpenIdConfig {
  issuer: string;
  clientId: string;
  clientSecret: string;
  mapping: RoleMapping;
}

/** `ml-admins=admin,ml=operator,ml=approver`: the roles of each group. */
export const roleMapping = z.string().transform((text, context) => {
  const roles = new Map<string, Role[]>();
  for (const entry of text.split(',')) {
    const at = entry.lastIndexOf('=');
    const group = entry.slice(0, Math.max(at, 0)).trim();
    const role = roleSchema.safeParse(entry.slice(at + 1).trim());
    if (group === '' || !role.success) {
      const message = `must be pairs such as ml-admins=admin,ml=operator with the roles ${roleSchema.options.join(', ')}, not '${entry.trim()}'`;
      context.addIssue({ code: 'custom', message });
      return z.NEVER;
    }
    roles.set(group, [...(roles.get(group) ?? []), role.data]);
  }
  return roles;
});
