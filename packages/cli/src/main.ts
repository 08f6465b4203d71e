import { Command, CommanderError } from 'commander';
import { ApiError, ConnectionError, UnexpectedAnswerError } from '@perennial/client';
import { PerennialError } from '@perennial/contract';
import { ConfigurationError, ListenError, PLATFORM_VERSION } from '@perennial/server';
import { registerAdvise } from './commands/advise.ts';
import { registerAlerts } from './commands/alerts.ts';
import { registerAttestation } from './commands/attestation.ts';
import { registerAudit } from './commands/audit.ts';
import { registerBackfill } from './commands/backfill.ts';
import { registerBatch } from './commands/batch.ts';
import { registerDoctor } from './commands/doctor.ts';
import { registerEndpoints } from './commands/endpoints.ts';
import { registerLineage } from './commands/lineage.ts';
import { registerModels } from './commands/models.ts';
import { registerPersonalData } from './commands/personal-data.ts';
import { registerPrecompute } from './commands/precompute.ts';
import { registerPredict } from './commands/predict.ts';
import { registerRegister } from './commands/register.ts';
import { registerReleases } from './commands/releases.ts';
import { registerReproduce } from './commands/reproduce.ts';
import { registerRetention } from './commands/retention.ts';
import { registerRun } from './commands/run.ts';
import { registerTokens } from './commands/tokens.ts';
import { registerTriggers } from './commands/triggers.ts';
import { registerUp } from './commands/up.ts';
import { registerWebhooks } from './commands/webhooks.ts';
import { BadOutcomeError, UsageError } from './errors.ts';
import { terminal, type Output } from './output.ts';

const COMMANDS = [
  registerUp,
  registerRun,
  registerTokens,
  registerTriggers,
  registerBackfill,
  registerModels,
  registerRegister,
  registerReleases,
  registerAttestation,
  registerReproduce,
  registerPredict,
  registerBatch,
  registerPrecompute,
  registerAdvise,
  registerEndpoints,
  registerLineage,
  registerDoctor,
  registerAlerts,
  registerWebhooks,
  registerRetention,
  registerPersonalData,
  registerAudit,
];

/**
 * Runs one command line.
 * @param argv as `process.argv`: the first two are skipped
 * @returns the exit status: 0, 1 when the command failed, 2 when the command line was wrong (or a version cannot be made again)
 */
export async function main(argv: string[], output: Output = terminal): Promise<number> {
  const program = new Command('perennial')
    .description('Keeps models fresh: data, training, validation, registry, serving, monitoring.')
    .version(PLATFORM_VERSION)
    .configureOutput({ writeOut: output.write, writeErr: output.writeError })
    // Else what stands after the name of a command's command would count as options of the command.
    .enablePositionalOptions()
    .showHelpAfterError('(perennial --help says what is possible)')
    .exitOverride();
  for (const register of COMMANDS) register(program, output);
  try {
    await program.parseAsync(argv);
    return 0;
  } catch (error) {
    return explain(error, output);
  }
}

/** Errors that a person can act on are told in a sentence; anything else is a fault of ours and keeps its stack. */
function explain(error: unknown, output: Output): number {
  if (error instanceof CommanderError) return error.exitCode === 0 ? 0 : 2;
  if (error instanceof BadOutcomeError) return error.status;
  if (error instanceof UsageError) return complain(error.message, 2, output);
  if (error instanceof ApiError) return complain(describeApiError(error), 1, output);
  const known = [ConnectionError, UnexpectedAnswerError, PerennialError, ConfigurationError, ListenError];
  if (known.some((kind) => error instanceof kind)) return complain((error as Error).message, 1, output);
  throw error;
}

function describeApiError({ message, problem }: ApiError): string {
  const issues = problem.details?.['issues'];
  const lines = Array.isArray(issues)
    ? (issues as { path: string; message: string }[]).map((issue) => `\n  ${issue.path}: ${issue.message}`)
    : [];
  return `${message}${lines.join('')}\n(${problem.title}, request ${problem.instance})`;
}

function complain(message: string, status: number, output: Output): number {
  output.writeError(`perennial: ${message}\n`);
  return status;
}
