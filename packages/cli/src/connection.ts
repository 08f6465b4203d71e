import { Option, type Command } from 'commander';
import { createClient, type Client } from '@perennial/client';

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

export function connect({ url, token }: ConnectionOptions): Client {
  return createClient({ baseUrl: url, ...(token === undefined ? {} : { token }) });
}
