import { Option, type Command } from 'commander';
import { everyItem, type Client } from '@perennial/client';
import { releaseStateSchema, type Release, type ReleaseEvent, type ReleaseState } from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { parseLimit } from '../limit.ts';
import { parseModelName, parseVersion } from '../model-name.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

interface JsonOptions extends ConnectionOptions {
  json: boolean;
}

interface ReasonOptions extends JsonOptions {
  reason: string;
}

/** `perennial releases`, `perennial release …` and `perennial rollback`. */
export function registerReleases(program: Command, output: Output): void {
  registerList(program, output);
  const release = program
    .command('release')
    .description('ask for a version to go into production, and decide, discuss or show a release');
  registerRequest(release, output);
  registerDecision(release, { verb: 'approve', description: 'approve a release that waits' }, output);
  registerDecision(release, { verb: 'reject', description: 'refuse a release that waits' }, output);
  registerComment(release, output);
  registerShow(release, output);
  registerRollback(program, output);
}

interface ListOptions extends JsonOptions {
  model?: string;
  state?: ReleaseState;
  limit: string;
}

function registerList(program: Command, output: Output): void {
  const command = program
    .command('releases')
    .description('list who wanted what in production, and what became of it, newest first')
    .option('--model <model>', 'only those of this model')
    .addOption(new Option('--state <state>', 'only those in this state').choices(releaseStateSchema.options))
    .option('--limit <number>', 'how many at most, 1 to 500', '20')
    .option('--json', 'print JSON', false)
    .action(async (options: ListOptions) => {
      const { model, state, limit } = options;
      const query = { model, state, limit: parseLimit(limit) };
      const { items } = await connect(options).listReleases({ query });
      if (options.json) return writeJson(output, items);
      writeTable(
        output,
        ['release', 'version', 'state', 'asked by', 'approvals', 'changed', 'reason'],
        items.map(row),
      );
    });
  withConnection(command);
}

function row(release: Release): (string | null)[] {
  const { id, model, version, state, requestedBy, updatedAt, reason } = release;
  return [id, `${model}@${version}`, state, requestedBy, approvalsOf(release), updatedAt, reason];
}

/** `1 of 2 (ada)`, and the override. */
function approvalsOf({ approvals, approvers, override, state }: Release): string {
  const names = approvals.length === 0 ? '' : ` (${approvals.map(({ by }) => by).join(', ')})`;
  const needed = state === 'pending' ? Math.max(1, approvers) : approvers;
  const counted = needed === 0 ? 'by policy' : `${approvals.length} of ${needed}${names}`;
  return override ? `${counted}, gate overridden` : counted;
}

interface RequestOptions extends ReasonOptions {
  override: boolean;
}

function registerRequest(release: Command, output: Output): void {
  const command = release
    .command('request')
    .description('ask for a version (flight-delay@12) to go into production')
    .argument('<version>')
    .requiredOption('--reason <reason>', 'why; stands on record')
    .option(
      '--override',
      'although the gate did not let it through, or it was rolled back; takes the role admin',
      false,
    )
    .option('--json', 'print JSON', false)
    .action(async (text: string, options: RequestOptions) => {
      const { reason, override } = options;
      const params = versionOf(text);
      const asked = await connect(options).requestRelease({ params, body: { reason, override } });
      writeRelease(output, asked, options);
    });
  withConnection(command);
}

function registerDecision(
  release: Command,
  { verb, description }: { verb: 'approve' | 'reject'; description: string },
  output: Output,
): void {
  const command = release
    .command(verb)
    .description(description)
    .argument('<release>')
    .requiredOption('--reason <reason>', 'why; stands on record')
    .option('--json', 'print JSON', false)
    .action(async (id: string, options: ReasonOptions) => {
      const request = { params: { release: id }, body: { reason: options.reason } };
      const client = connect(options);
      const decided =
        verb === 'approve' ? await client.approveRelease(request) : await client.rejectRelease(request);
      writeRelease(output, decided, options);
    });
  withConnection(command);
}

function registerComment(release: Command, output: Output): void {
  const command = release
    .command('comment')
    .description('say something about a release')
    .argument('<release>')
    .argument('<comment>')
    .action(async (id: string, comment: string, options: ConnectionOptions) => {
      const said = await connect(options).commentOnRelease({ params: { release: id }, body: { comment } });
      output.write(`${id}: ${said.by} said so at ${said.at}\n`);
    });
  withConnection(command);
}

function registerShow(release: Command, output: Output): void {
  const command = release
    .command('show')
    .description('show a release and what happened to it, oldest first')
    .argument('<release>')
    .option('--json', 'print JSON', false)
    .action(async (id: string, options: JsonOptions) => {
      const client = connect(options);
      const found = await client.getRelease({ params: { release: id } });
      const events = await eventsOf(client, id);
      if (options.json) return writeJson(output, { ...found, events });
      output.write(`${sentence(found)}\n`);
      const facts = events.map(({ at, type, state, by, reason }) => [at, type, state, by, reason]);
      writeTable(output, ['at', 'what', 'state', 'by', 'reason'], facts);
    });
  withConnection(command);
}

async function eventsOf(client: Client, release: string): Promise<ReleaseEvent[]> {
  const events: ReleaseEvent[] = [];
  const fetchPage = (cursor?: string) =>
    client.listReleaseEvents({ params: { release }, query: { cursor, limit: 500 } });
  for await (const event of everyItem(fetchPage)) events.push(event);
  return events;
}

interface RollbackOptions extends ReasonOptions {
  to?: string;
}

function registerRollback(program: Command, output: Output): void {
  const command = program
    .command('rollback')
    .description('take the champion of a model out of production and put the one before it back')
    .argument('<model>')
    .requiredOption('--reason <reason>', 'why; stands on record')
    .option('--to <version>', 'go back to this earlier champion')
    .option('--json', 'print JSON', false)
    .action(async (model: string, options: RollbackOptions) => {
      const { reason, to } = options;
      const body = { reason, ...(to === undefined ? {} : { to: parseVersion(to) }) };
      const live = await connect(options).rollBack({ params: { model }, body });
      writeRelease(output, live, options);
    });
  withConnection(command);
}

/** @throws UsageError */
function versionOf(text: string): { model: string; version: number } {
  const { model, version } = parseModelName(text);
  if (version !== undefined) return { model, version };
  throw new UsageError(`'${text}' names no version: write ${text}@3.`);
}

function writeRelease(output: Output, release: Release, { json }: { json: boolean }): void {
  if (json) writeJson(output, release);
  else output.write(`${sentence(release)}\n`);
}

function sentence(release: Release): string {
  const { id, model, version, state } = release;
  return `${id}: ${model}@${version} is ${state}; approvals: ${approvalsOf(release)}`;
}
