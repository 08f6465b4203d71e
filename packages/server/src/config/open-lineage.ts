import type { LineageReceiver } from '@perennial/orchestration';
import type { ConfigurationIssue } from '../errors.ts';
import type { Environment } from './environment.ts';

export interface LineageConfig {
  /** What is told of runs; null: nobody. */
  receiver: LineageReceiver | null;
  /** The installation's, in OpenLineage's names. */
  namespace: string;
}

type Variables = Pick<
  Environment,
  'PERENNIAL_OPENLINEAGE_URL' | 'PERENNIAL_OPENLINEAGE_API_KEY' | 'PERENNIAL_OPENLINEAGE_NAMESPACE'
>;

export function lineageConfig(environment: Variables): LineageConfig {
  const { PERENNIAL_OPENLINEAGE_URL: url, PERENNIAL_OPENLINEAGE_API_KEY: apiKey = null } = environment;
  return {
    receiver: url === undefined ? null : { url, apiKey },
    namespace: environment.PERENNIAL_OPENLINEAGE_NAMESPACE,
  };
}

/** A key for nobody is a URL that was forgotten. */
export function lineageIssues(variables: NodeJS.ProcessEnv): ConfigurationIssue[] {
  const isSet = (name: keyof Variables) => (variables[name] ?? '') !== '';
  if (!isSet('PERENNIAL_OPENLINEAGE_API_KEY') || isSet('PERENNIAL_OPENLINEAGE_URL')) return [];
  const message = 'is needed when PERENNIAL_OPENLINEAGE_API_KEY is set';
  return [{ variable: 'PERENNIAL_OPENLINEAGE_URL', message }];
}

/** `fetch` takes no address with a password in it, and a log would show it. */
export function isReceiverUrl(text: string): boolean {
  if (!URL.canParse(text)) return false;
  const { protocol, username, password } = new URL(text);
  return /^https?:$/.test(protocol) && username === '' && password === '';
}
