import { durationMilliseconds, type StepPolicy } from '@perennial/contract';
import { StepTimedOutError } from './errors.ts';

/**
 * Does a step's work under a signal that fires when the step has taken too long, or the caller's does.
 * @throws StepTimedOutError when it has taken longer than its policy allows
 */
export async function withinTime<Result>(
  { step, policy, signal }: { step: string; policy: Pick<StepPolicy, 'timeout'>; signal: AbortSignal },
  work: (signal: AbortSignal) => Promise<Result>,
): Promise<Result> {
  const timeout = AbortSignal.timeout(durationMilliseconds(policy.timeout));
  try {
    return await work(AbortSignal.any([signal, timeout]));
  } catch (error) {
    if (timeout.aborted && !signal.aborted) throw new StepTimedOutError(step, policy.timeout);
    throw error;
  }
}
