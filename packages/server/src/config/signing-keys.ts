import { join, resolve } from 'node:path';
import type { ConfigurationIssue } from '../errors.ts';

/** Which keys versions are signed and verified with. */
export interface SigningConfig {
  /**
   * `given` by who runs the platform; the installation's `own`, made at the first start; `none` in a process that signs nothing and trusts only the
   * keys that it is given.
   */
  key: { kind: 'given' | 'own'; file: string } | { kind: 'none' };
  /** Files of further public keys whose signatures hold. */
  trusted: readonly string[];
}

export interface SigningVariables {
  PERENNIAL_SIGNING_KEY?: string | undefined;
  PERENNIAL_TRUSTED_KEYS?: string | undefined;
}

interface Installation {
  roles: readonly string[];
  /** Whether the process has a database, and so a folder, that no other process shares. */
  embedded: boolean;
}

/** A process that does everything has a key of its own; several processes on one database must have the same, which only its operator can see to. */
const doesEverything = ({ roles, embedded }: Installation) =>
  embedded || ['server', 'scheduler', 'worker'].every((role) => roles.includes(role));

export function signingConfig(
  { PERENNIAL_SIGNING_KEY: given, PERENNIAL_TRUSTED_KEYS: trusted }: SigningVariables,
  { home, ...installation }: Installation & { home: string },
): SigningConfig {
  return { key: keyOf(given, { home, ...installation }), trusted: listOf(trusted) };
}

function keyOf(
  given: string | undefined,
  { home, ...installation }: Installation & { home: string },
): SigningConfig['key'] {
  if (given !== undefined) return { kind: 'given', file: resolve(given) };
  return doesEverything(installation)
    ? { kind: 'own', file: join(home, 'keys', 'signing.pem') }
    : { kind: 'none' };
}

/** What keeps a process from signing what others serve, or from serving what others signed. */
export function signingIssues(
  { PERENNIAL_SIGNING_KEY: given, PERENNIAL_TRUSTED_KEYS: trusted }: SigningVariables,
  installation: Installation,
): ConfigurationIssue[] {
  if (given !== undefined || doesEverything(installation)) return [];
  const { roles } = installation;
  const only = `for a process that is only ${roles.join(' and ')}`;
  if (roles.includes('worker'))
    return [
      issue(
        `must be set ${only}: it signs the versions that it approves, with the key that all processes share`,
      ),
    ];
  if (roles.includes('server') && trusted === undefined)
    return [
      issue(
        `must be set ${only}, to the key that all processes share; or PERENNIAL_TRUSTED_KEYS, for one that approves nothing`,
      ),
    ];
  return [];
}

const issue = (message: string): ConfigurationIssue => ({ variable: 'PERENNIAL_SIGNING_KEY', message });

function listOf(text = ''): string[] {
  return text
    .split(',')
    .map((file) => file.trim())
    .filter((file) => file !== '')
    .map((file) => resolve(file));
}
