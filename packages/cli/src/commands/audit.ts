import { Option, type Command } from 'commander';
import {
  AUDIT_ACTIONS,
  digestSchema,
  instantSchema,
  type AuditAction,
  type AuditEntry,
} from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { BadOutcomeError, UsageError } from '../errors.ts';
import { parseLimit } from '../limit.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

export function registerAudit(program: Command, output: Output): void {
  const command = registerList(program, output);
  withConnection(command);
  withConnection(registerVerify(command, output));
}

interface ListOptions extends ConnectionOptions {
  subject?: string;
  by?: string;
  action?: AuditAction;
  from?: string;
  to?: string;
  limit: string;
  json: boolean;
}

function registerList(program: Command, output: Output): Command {
  return program
    .command('audit')
    .description('say what was changed, by whom, when, why and from where, newest first')
    .option('--subject <subject>', 'only changes of this: release:rel_…, model:churn, version:churn@3')
    .option('--by <name>', 'only changes by this caller: token:airline app, user:ada@example.org')
    .addOption(new Option('--action <action>', 'only changes of this kind').choices([...AUDIT_ACTIONS]))
    .option('--from <instant>', 'only changes at or after this instant, such as 2026-05-03T14:00:00Z')
    .option('--to <instant>', 'only changes before this instant')
    .option('--limit <number>', 'how many at most, 1 to 500', '20')
    .option('--json', 'print JSON, with all that is known of each', false)
    .action((options: ListOptions) => list(options, output));
}

async function list(options: ListOptions, output: Output): Promise<void> {
  const { subject, by, action } = options;
  const times = { from: parseInstant('--from', options.from), to: parseInstant('--to', options.to) };
  const query = { limit: parseLimit(options.limit), subject, by, action, ...times };
  const { items } = await connect(options).listAudit({ query });
  if (options.json) return writeJson(output, items);
  writeTable(output, ['#', 'at', 'by', 'what', 'of', 'why', 'from'], items.map(rowOf));
}

function rowOf({
  sequence,
  at,
  by,
  action,
  subject,
  reason,
  origin,
}: AuditEntry): (string | number | null)[] {
  return [sequence, at, ...[by, action, subject, reason, origin].map((text) => text && printable(text))];
}

/** What people wrote must not steer the terminal it is read on. */
function printable(text: string): string {
  return text.replace(/\p{Cc}/gu, ' ');
}

function parseInstant(option: string, text: string | undefined): string | undefined {
  if (text === undefined || instantSchema.safeParse(text).success) return text;
  throw new UsageError(`${option} '${text}' is not an instant with a zone, such as 2026-05-03T14:00:00Z.`);
}

interface VerifyOptions extends ConnectionOptions {
  head?: string;
  json: boolean;
}

function registerVerify(audit: Command, output: Output): Command {
  return audit
    .command('verify')
    .description('say whether the audit is as it was written; the exit status is 1 when it is not')
    .option(
      '--head <digest>',
      'a head that an earlier verification printed: without it a cut-off end does not show',
    )
    .option('--json', 'print JSON', false)
    .action((options: VerifyOptions) => verify(options, output));
}

async function verify({ head, json, ...connection }: VerifyOptions, output: Output): Promise<void> {
  if (head !== undefined && !digestSchema.safeParse(head).success)
    throw new UsageError(`--head '${head}' is not sha256: and 64 hexadecimal digits.`);
  const verification = await connect(connection).verifyAudit({ query: { head } });
  const { entries, valid, head: end, firstProblem } = verification;
  if (json) writeJson(output, verification);
  else if (firstProblem === null)
    output.write(`All ${entries} entries are as they were written.\nHead: ${end}\n`);
  else {
    output.write(`The audit was tampered with. Entry ${firstProblem.sequence}: ${firstProblem.problem}.\n`);
    output.write(`The ${entries} entries before it are as they were written.\n`);
  }
  if (!valid) throw new BadOutcomeError();
}
