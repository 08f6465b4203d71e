import { createHash } from 'node:crypto';
import { canonicalJson, describeError, type RunEvent } from '@perennial/contract';
import { appendRunEvent, findReusableStep, findStep, transaction } from '@perennial/storage';
import type { RunContext, StepDefinition } from './steps/step.ts';

type JsonObject = Record<string, unknown>;

/**
 * Brings one step of a run to its output: the one it has already, one that another run reached from the same inputs, or fresh work.
 */
export async function runStep<Input, Output>(
  context: RunContext,
  step: StepDefinition<Input, Output>,
  input: Input,
): Promise<Output> {
  const { database, run } = context;
  const inputDigest = digestOf(await step.describeInput(context, input));
  const earlier = await findStep(database.orm, run.id, step.name);
  const finished = earlier?.state === 'succeeded' || earlier?.state === 'reused';
  if (finished && earlier.inputDigest === inputDigest) return earlier.output as Output;
  const attempt = (earlier?.attempt ?? 0) + 1;
  await append(context, { type: 'step-started', step: step.name, attempt, inputDigest });
  const reused =
    step.reusable && !run.force ? await findReusableStep(database.orm, step.name, inputDigest) : undefined;
  const output = reused ? (reused.output as Output) : await execute(context, step, { input, attempt });
  const event = { type: 'step-succeeded' as const, step: step.name, reused: reused !== undefined };
  await append(context, { ...event, output: output as JsonObject });
  return output;
}

async function execute<Input, Output>(
  context: RunContext,
  step: StepDefinition<Input, Output>,
  { input, attempt }: { input: Input; attempt: number },
): Promise<Output> {
  try {
    return await step.execute(
      { ...context, report: (progress) => context.publish(step.name, progress) },
      input,
    );
  } catch (error) {
    if (!context.signal.aborted) {
      await append(context, { type: 'step-failed', step: step.name, attempt, error: describeError(error) });
    }
    throw error;
  }
}

/** Appends an event to the context's run, in a transaction of its own. */
export async function append({ database, run, clock }: RunContext, event: RunEvent): Promise<void> {
  await transaction(database, (tx) => appendRunEvent(tx, { runId: run.id, at: clock.now(), event }));
}

/** The digest of a value's canonical JSON. */
export function digestOf(value: unknown): string {
  return `sha256:${createHash('sha256').update(canonicalJson(value)).digest('hex')}`;
}
