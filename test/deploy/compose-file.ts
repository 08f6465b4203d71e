import { readFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { parse } from 'yaml';

export interface ComposeHealthcheck {
  test?: string[];
  disable?: boolean;
}

/** What of a service of a Compose file matters here. */
export interface ComposeService {
  image: string;
  build?: { context: string; dockerfile: string };
  entrypoint?: string[];
  command?: string[];
  environment?: Record<string, string>;
  volumes?: string[];
  ports?: string[];
  depends_on?: Record<string, { condition: string }>;
  healthcheck?: ComposeHealthcheck;
}

export interface ComposeFile {
  services: Record<string, ComposeService>;
  volumes: Record<string, unknown>;
}

/** The root of the repository, from the sources and from what is built of them. */
export const REPOSITORY = fileURLToPath(
  new URL(import.meta.url.includes('/dist/') ? '../../../' : '../../', import.meta.url),
);

export class ComposeVariableError extends Error {
  readonly variable: string;
  constructor(variable: string, message: string) {
    super(`${variable}: ${message}`);
    this.name = 'ComposeVariableError';
    this.variable = variable;
  }
}

/** `$$`, `${NAME}`, `${NAME:-default}` and `${NAME:?message}`: the forms of the Compose specification that we use. */
const VARIABLE = /\$(?:(\$)|\{([A-Z0-9_]+)(?::([-?])([^}]*))?\})/g;

/**
 * Puts the variables into a value of a Compose file.
 * @throws ComposeVariableError when one that must be set is not
 */
export function interpolate(text: string, variables: Record<string, string>): string {
  const replace = (_: string, ...groups: (string | undefined)[]): string => {
    const [dollar, name = '', form, rest = ''] = groups;
    if (dollar !== undefined) return '$';
    const value = variables[name] ?? '';
    if (value !== '' || form === undefined) return value;
    if (form === '?') throw new ComposeVariableError(name, rest);
    return rest;
  };
  return text.replace(VARIABLE, replace);
}

/** The text's YAML as it stands, merge keys resolved. */
export function parseCompose(text: string): unknown {
  return parse(text, { merge: true });
}

/** The repository's own docker-compose.yml with these variables. */
export function readCompose(variables: Record<string, string>): ComposeFile {
  const file = parseCompose(readFileSync(`${REPOSITORY}docker-compose.yml`, 'utf8'));
  const resolve = (value: unknown): unknown => {
    if (typeof value === 'string') return interpolate(value, variables);
    if (Array.isArray(value)) return value.map(resolve);
    if (value === null || typeof value !== 'object') return value;
    return Object.fromEntries(Object.entries(value).map(([key, inner]) => [key, resolve(inner)]));
  };
  return resolve(file) as ComposeFile;
}
