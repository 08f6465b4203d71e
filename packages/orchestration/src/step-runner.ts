import { PerennialError, describeError, durationMilliseconds, type RunEvent } from '@perennial/contract';
import {
  appendRunEvent,
  digestOfJson,
  findReusableStep,
  findStep,
  holdArtifacts,
  missingArtifacts,
  transaction,
  type Executor,
} from '@perennial/storage';
import { announceRun } from './openlineage/announce.ts';
import { artifactsOf } from './steps/step-artifacts.ts';
import type { RunContext, StepDefinition, StepResult } from './steps/step.ts';
import { withinTime } from './time-limit.ts';

/**
 * Brings one step of a run to its output: the one it has already, one that another run reached from the same inputs, or fresh work.
 */
export async function runStep<Input, Output>(
  context: RunContext,
  step: StepDefinition<Input, Output>,
  input: Input,
): Promise<Output> {
  const { database, run } = context;
  const inputDigest = digestOfJson(await step.describeInput(context, input));
  const earlier = await findStep(database.orm, run.id, step.name);
  const finished = earlier?.state === 'succeeded' || earlier?.state === 'reused';
  if (finished && earlier.inputDigest === inputDigest) return earlier.output as Output;
  const attempt = (earlier?.attempt ?? 0) + 1;
  const reused = step.reusable && !run.force ? await findReusable(context, step, inputDigest) : undefined;
  if (reused) {
    await append(context, { type: 'step-started', step: step.name, attempt, inputDigest });
    await succeed(context, step, { result: { output: reused.output as Output }, reused: true });
    return reused.output as Output;
  }
  return work(context, step, { input, inputDigest, attempt });
}

/** The step of another run that has the output, if all that its output refers to is still kept. */
async function findReusable<Input, Output>(
  { database, artifacts }: RunContext,
  { name }: StepDefinition<Input, Output>,
  inputDigest: string,
) {
  const found = await findReusableStep(database.orm, name, inputDigest);
  if (found === undefined) return undefined;
  const lost = await missingArtifacts(artifacts, await artifactsOf(database.orm, name, found.output));
  return lost.length === 0 ? found : undefined;
}

interface Work<Input> {
  input: Input;
  inputDigest: string;
  attempt: number;
}

/** Tries the step, again while what stops it can pass by itself and its policy allows. */
async function work<Input, Output>(
  context: RunContext,
  step: StepDefinition<Input, Output>,
  { input, inputDigest, attempt: first }: Work<Input>,
): Promise<Output> {
  const policy = context.run.spec.steps[step.name];
  const report = (progress: Parameters<RunContext['publish']>[1]) => context.publish(step.name, progress);
  for (let attempt = first; ; attempt++) {
    await append(context, { type: 'step-started', step: step.name, attempt, inputDigest });
    try {
      const result = await withinTime({ ...context, step: step.name, policy }, (signal) =>
        step.execute({ ...context, inputDigest, signal, report }, input),
      );
      await succeed(context, step, { result, reused: false });
      return result.output;
    } catch (error) {
      if (context.signal.aborted || isLeaseLost(error)) throw error;
      await append(context, { type: 'step-failed', step: step.name, attempt, error: describeError(error) });
      const tries = attempt - first + 1;
      if (!canPass(error) || tries >= policy.attempts) throw error;
      await context.delay(durationMilliseconds(policy.backoff) * 2 ** (tries - 1), context.signal);
    }
  }
}

function canPass(error: unknown): boolean {
  return error instanceof PerennialError && error.transient;
}

function isLeaseLost(error: unknown): boolean {
  return error instanceof PerennialError && error.code === 'lease-lost';
}

/** Records a step's success together with what it has to write, and holds what it left in the store against retention. */
async function succeed<Input, Output>(
  context: RunContext,
  step: StepDefinition<Input, Output>,
  { result, reused }: { result: StepResult<Output>; reused: boolean },
): Promise<void> {
  const output = result.output as Record<string, unknown>;
  const event: RunEvent = { type: 'step-succeeded', step: step.name, reused, output };
  await transaction(context.database, async (tx) => {
    await appendFenced(tx, context, event);
    await result.write?.(tx);
    await holdArtifacts(tx, context.artifacts, await artifactsOf(tx, step.name, output));
  });
}

/** Appends an event to the context's run, in a transaction of its own. */
export async function append(context: RunContext, event: RunEvent): Promise<void> {
  await transaction(context.database, (tx) => appendFenced(tx, context, event));
}

/** Appends an event in the caller's transaction. @throws LeaseLostError when another worker has the run by now */
export async function appendFenced(
  tx: Executor,
  { run, clock, fence, announce }: Pick<RunContext, 'run' | 'clock' | 'fence' | 'announce'>,
  event: RunEvent,
): Promise<void> {
  await appendRunEvent(tx, { runId: run.id, at: clock.now(), event, fence });
  if (announce) await announceRun(tx, run.id, event.type);
}
