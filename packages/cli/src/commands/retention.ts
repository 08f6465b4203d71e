import { Option, type Command } from 'commander';
import {
  RETENTION_KINDS,
  durationSchema,
  type RetentionKind,
  type RetentionReport,
  type RetentionRule,
} from '@perennial/contract';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { UsageError } from '../errors.ts';
import { writeJson, writeTable, type Output } from '../output.ts';

export function registerRetention(program: Command, output: Output): void {
  const retention = program.command('retention').description('how long things are kept');
  for (const register of [registerShow, registerSet, registerPlan, registerApply])
    withConnection(register(retention, output));
}

interface ShowOptions extends ConnectionOptions {
  json: boolean;
}

function registerShow(retention: Command, output: Output): Command {
  return retention
    .command('show', { isDefault: true })
    .description('show the rules')
    .option('--json', 'print JSON', false)
    .action(async ({ json, ...connection }: ShowOptions) => {
      const policy = await connect(connection).getRetention({});
      if (json) return writeJson(output, policy);
      const rows = RETENTION_KINDS.map((kind) => [kind, inWords(policy[kind])]);
      writeTable(output, ['kind', 'kept'], rows);
    });
}

interface SetOptions extends ConnectionOptions {
  maxAge?: string;
  keepLast?: string;
  forever: boolean;
}

function registerSet(retention: Command, output: Output): Command {
  return retention
    .command('set')
    .description('change the rule of one kind; what is not given is no longer part of it')
    .addArgument(retention.createArgument('<kind>').choices([...RETENTION_KINDS]))
    .option('--max-age <duration>', 'what is older may go, such as 400d')
    .option('--keep-last <number>', 'so many newest of a pipeline or model stay, whatever their age')
    .addOption(new Option('--forever', 'nothing goes').default(false).conflicts(['maxAge', 'keepLast']))
    .action(async (kind: RetentionKind, options: SetOptions) => {
      const rule = ruleOf(options);
      const policy = await connect(options).changeRetention({ body: { [kind]: rule } });
      output.write(`${kind}: ${inWords(policy[kind])}\n`);
    });
}

/** @throws UsageError where nothing is said, or a value is not possible */
function ruleOf({ maxAge, keepLast, forever }: SetOptions): RetentionRule {
  if (!forever && maxAge === undefined && keepLast === undefined)
    throw new UsageError('Say what is kept: --max-age, --keep-last or --forever.');
  if (maxAge !== undefined && !durationSchema.safeParse(maxAge).success)
    throw new UsageError(`'${maxAge}' is not an age, such as 400d or 12w.`);
  if (keepLast !== undefined && !/^[1-9][0-9]{0,5}$/.test(keepLast))
    throw new UsageError(`'${keepLast}' is not a number from 1 to 999999.`);
  return { maxAge: maxAge ?? null, keepLast: keepLast === undefined ? null : Number(keepLast) };
}

function inWords({ maxAge, keepLast }: RetentionRule): string {
  if (maxAge === null) return keepLast === null ? 'for ever' : `the last ${keepLast}`;
  return keepLast === null ? `for ${maxAge}` : `for ${maxAge}, and the last ${keepLast}`;
}

function registerPlan(retention: Command, output: Output): Command {
  return retention
    .command('plan')
    .description('say what would be removed now, and what is kept for a reason')
    .option('--json', 'print JSON', false)
    .action(async ({ json, ...connection }: ShowOptions) => {
      writeReport(await connect(connection).planRetention({}), { json, output });
    });
}

function registerApply(retention: Command, output: Output): Command {
  return retention
    .command('apply')
    .description('remove what the rules let go, now; it also happens every day')
    .option('--json', 'print JSON', false)
    .action(async ({ json, ...connection }: ShowOptions) => {
      writeReport(await connect(connection).applyRetention({}), { json, output });
    });
}

function writeReport(report: RetentionReport, { json, output }: { json: boolean; output: Output }): void {
  if (json) return writeJson(output, report);
  const rows = report.parts.map(({ kind, items, rows, bytes }) => [
    kind,
    String(items),
    rows === null ? '' : String(rows),
    String(bytes),
  ]);
  writeTable(output, ['kind', report.dryRun ? 'would go' : 'went', 'rows', 'bytes'], rows);
  const kept = report.parts.flatMap(({ kind, kept }) => kept.map(({ name, reason }) => [kind, name, reason]));
  if (kept.length > 0) writeTable(output, ['kind', 'kept although old', 'because'], kept);
}
