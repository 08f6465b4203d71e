import { nameSchema } from '@perennial/contract';
import type { ConfigurationIssue } from '../errors.ts';

const PREFIX = 'PERENNIAL_CONNECTION_';

/** The addresses of the databases that pipelines may read, by the names they use. They may hold passwords. */
export type Connections = Readonly<Record<string, string>>;

/**
 * `PERENNIAL_CONNECTION_DATA_WAREHOUSE=postgres://…` is the connection `data-warehouse`. One that is set to nothing is not there.
 */
export function readConnections(variables: NodeJS.ProcessEnv): Connections {
  return Object.fromEntries(given(variables).map(({ name, url }) => [name, url]));
}

/** What is wrong with the connections' variables; the addresses are not repeated. */
export function connectionIssues(variables: NodeJS.ProcessEnv): ConfigurationIssue[] {
  const all = given(variables);
  return all.flatMap(({ variable, name, url }, index) => {
    const twin = all.slice(0, index).find((other) => other.name === name);
    if (twin !== undefined)
      return [{ variable, message: `names the same connection as ${twin.variable}: '${name}'` }];
    if (!nameSchema.safeParse(name).success) {
      const message = `must go on with a name of letters, digits and underscores, such as ${PREFIX}WAREHOUSE`;
      return [{ variable, message }];
    }
    const { protocol } = URL.canParse(url) ? new URL(url) : { protocol: '' };
    return protocol === 'postgres:' || protocol === 'postgresql:'
      ? []
      : [{ variable, message: 'must be a postgres:// URL' }];
  });
}

function given(variables: NodeJS.ProcessEnv): { variable: string; name: string; url: string }[] {
  return Object.entries(variables).flatMap(([variable, url = '']) => {
    if (!variable.startsWith(PREFIX) || url === '') return [];
    return [{ variable, url, name: variable.slice(PREFIX.length).toLowerCase().replaceAll('_', '-') }];
  });
}
