import { Option, type Command } from 'commander';
import { everyItem } from '@perennial/client';
import { roleSchema, type Role, type Token, type TokenRequest } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

/** `perennial tokens create|list|revoke`. */
export function registerTokens(program: Command, output: Output): void {
  const tokens = program.command('tokens').description('let callers in, and shut them out again');
  for (const register of [registerCreate, registerList, registerRevoke])
    withConnection(register(tokens, output));
}

interface CreateOptions extends ConnectionOptions {
  role: Role[];
  model?: string[];
  expires?: string;
  requestsPerMinute?: string;
  json: boolean;
}

function registerCreate(tokens: Command, output: Output): Command {
  const roles = roleSchema.options;
  return tokens
    .command('create')
    .description('make a token; it is shown this once')
    .argument('<name>', 'for people, events and audit: "airline app"')
    .addOption(new Option('--role <role...>', 'what it may do').choices([...roles]).makeOptionMandatory())
    .option('--model <model...>', 'only these models, and the pipelines of their names')
    .option('--expires <instant>', 'when it ends, such as 2027-01-31T00:00:00Z')
    .option('--requests-per-minute <number>', "a limit of its own instead of the installation's")
    .option('--json', 'print JSON', false)
    .action(async (name: string, options: CreateOptions) => {
      const made = await connect(options).createToken({ body: requestOf(name, options) });
      if (options.json) return writeJson(output, made);
      output.write(`${made.secret}\n`);
      output.writeError(`${made.id} (${made.name}) is ${describe(made)}. It is not shown again.\n`);
    });
}

function registerList(tokens: Command, output: Output): Command {
  return tokens
    .command('list')
    .description('say who may do what, newest first')
    .option('--json', 'print JSON', false)
    .action(async ({ json, ...connection }: ConnectionOptions & { json: boolean }) => {
      const client = connect(connection);
      const items: Token[] = [];
      for await (const item of everyItem((cursor) => client.listTokens({ query: { cursor } })))
        items.push(item);
      if (json) return writeJson(output, items);
      const rows = items.map((token) => [
        token.id,
        token.name,
        token.roles.join('\n'),
        token.models?.join('\n') ?? 'all',
        token.expiresAt ?? 'never',
        token.revokedAt,
        token.lastUsedAt,
      ]);
      writeTable(output, ['token', 'name', 'roles', 'models', 'expires', 'revoked', 'last used'], rows);
    });
}

function registerRevoke(tokens: Command, output: Output): Command {
  return tokens
    .command('revoke')
    .description('shut its bearers out: every server does within a second')
    .argument('<token>', 'as the list names it: tok_…')
    .action(async (token: string, connection: ConnectionOptions) => {
      const revoked = await connect(connection).revokeToken({ params: { token } });
      output.write(`${revoked.id} (${revoked.name}) was revoked at ${revoked.revokedAt ?? ''}\n`);
    });
}

function requestOf(name: string, { role, model, expires, requestsPerMinute }: CreateOptions): TokenRequest {
  return {
    name,
    roles: role,
    ...(model === undefined ? {} : { models: model }),
    ...(expires === undefined ? {} : { expiresAt: expires }),
    ...(requestsPerMinute === undefined ? {} : { requestsPerMinute: parseRate(requestsPerMinute) }),
  };
}

function parseRate(text: string): number {
  if (/^[1-9]\d{0,7}$/.test(text)) return Number(text);
  throw new UsageError(`--requests-per-minute '${text}' must be a whole number from 1 to 10000000.`);
}

function describe({ roles, models, expiresAt }: Token): string {
  const until = expiresAt === null ? 'until it is revoked' : `until ${expiresAt}`;
  return `${roles.join(', ')} of ${models?.join(', ') ?? 'all models'} ${until}`;
}
