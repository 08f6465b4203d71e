import type { Assignment, Preparation, Report } from '../job.ts';
import { failureOf } from '../failure.ts';

/**
 * The training process: takes one assignment over the message channel, reports on it, and ends. It may be told before to prepare for it. When the
 * channel closes, its parent is gone and so is whoever wanted the result.
 */
const abandoned = new AbortController();
/** A command has to be stopped first; everything else ends with this process. */
let keepsCommand = false;
process.once('disconnect', () => {
  abandoned.abort();
  if (!keepsCommand) process.exit(1);
});
process.on('message', (message) => {
  const order = message as Assignment | Preparation;
  if (order.kind === 'prepare') prepare();
  else void carryOut(order).then(leave);
});

/** What fails to load is met, and told of, by the training. */
function prepare(): void {
  void import('./run-training.ts').catch(() => undefined);
}

async function carryOut(assignment: Assignment): Promise<Report> {
  try {
    return await reportOn(assignment);
  } catch (error) {
    const failure = failureOf(error);
    // The stack of what nobody foresaw is for the log; the message travels.
    if (failure.name === 'Error') console.error(error);
    return { kind: 'failed', failure };
  }
}

/** Imports what the assignment needs and no more: a probe has no use for the data engine. */
async function reportOn(assignment: Assignment): Promise<Report> {
  switch (assignment.kind) {
    case 'train': {
      const { runTraining } = await import('./run-training.ts');
      return {
        kind: 'done',
        result: await runTraining(assignment.job, (progress) => send({ kind: 'progress', progress })),
      };
    }
    case 'command': {
      const { runCommand } = await import('./run-command.ts');
      keepsCommand = true;
      process.once('SIGTERM', () => abandoned.abort());
      await runCommand(assignment.task, abandoned.signal);
      return { kind: 'command-ended' };
    }
    case 'adopt': {
      const { adoptFile } = await import('./adopt-file.ts');
      return { kind: 'adopted', operators: await adoptFile(assignment.task) };
    }
    case 'probe': {
      const { probeBackend } = await import('../backends/choose-backend.ts');
      return { kind: 'probed', report: await probeBackend(assignment.backend) };
    }
  }
}

function send(report: Report): void {
  process.send?.(report);
}

/** Native libraries leave threads and handles behind that would keep the process, or crash it on an orderly way out. */
function leave(last: Report): void {
  if (!process.connected) process.exit(1);
  process.send?.(last, undefined, undefined, () => process.exit(0));
}
