import type { Command } from 'commander';
import { ConnectionError } from '@perennial/client';
import type { Checkup, DoctorReport } from '@perennial/contract';
import { examineMachine, loadConfig } from '@perennial/server';
import { connect, withConnection, type ConnectionOptions } from '../connection.ts';
import { BadOutcomeError } from '../errors.ts';
import { writeJson, type Output } from '../output.ts';

interface DoctorOptions extends ConnectionOptions {
  json: boolean;
}

export function registerDoctor(program: Command, output: Output): void {
  const command = program
    .command('doctor')
    .description('say what the platform found on this machine, and what is missing for better')
    .option('--json', 'print JSON', false)
    .action((options: DoctorOptions) => doctor(options, output));
  withConnection(command);
}

async function doctor(options: DoctorOptions, output: Output): Promise<void> {
  const report = await examine(options);
  if (options.json) writeJson(output, report);
  else for (const checkup of report.checkups) writeCheckup(checkup, output);
  if (report.checkups.some((checkup) => checkup.state === 'bad')) throw new BadOutcomeError();
}

/** The running platform's own word; where none runs, what can be seen without it. */
async function examine(options: DoctorOptions): Promise<DoctorReport> {
  try {
    return await connect(options).getDoctor({});
  } catch (error) {
    if (!(error instanceof ConnectionError)) throw error;
    const platform: Checkup = { name: 'platform', state: 'weak', found: error.message, advice: null };
    const { checkups } = await examineMachine(loadConfig());
    return { checkups: [platform, ...checkups] };
  }
}

const MARKS: Record<Checkup['state'], string> = { good: 'ok  ', weak: 'weak', bad: 'BAD ' };

function writeCheckup({ name, state, found, advice }: Checkup, output: Output): void {
  output.write(`${MARKS[state]} ${name.padEnd(17)} ${found}\n`);
  if (advice !== null) output.write(`     ${' '.repeat(17)} ${advice}\n`);
}
