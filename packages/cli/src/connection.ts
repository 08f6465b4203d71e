import { Option, type Command } from 'commander';
import { createClient, type Client } from '@perennial/client';
import { UsageError } from './errors.ts';

/** How a command reaches the platform. */
export interface ConnectionOptions {
  url: string;
  token?: string;
}

/** Gives a command the options that say where the platform is. */
export function withConnection(command: Command): Command {
  return command
    .addOption(
      new Option('--url <url>', 'where the platform is')
        .env('PERENNIAL_URL')
        .default('http://127.0.0.1:8080'),
    )
    .addOption(new Option('--token <token>', 'bearer token').env('PERENNIAL_TOKEN'));
}

/** @throws UsageError when the address is none */
export function connect({ url, token }: ConnectionOptions): Client {
  try {
    return createClient({ baseUrl: url, ...(token === undefined ? {} : { token }) });
  } catch (cause) {
    throw new UsageError(`--url '${url}' is not the address of a platform, such as http://127.0.0.1:8080.`, {
      cause,
    });
  }
}
