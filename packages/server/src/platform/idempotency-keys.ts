import type { Clock } from '@perennial/contract';
import type { Chore } from '@perennial/orchestration';
import { forgetRequestsBefore, type Database } from '@perennial/storage';

/** How long a request's answer is kept for its repetitions: longer than any client goes on trying. */
const KEPT_MILLISECONDS = 7 * 24 * 3_600_000;

/** Keys are forgotten up to so much later, which spares the database a walk through them every second. */
const PAUSE_MILLISECONDS = 3_600_000;

export interface IdempotencyChoreDependencies {
  readonly database: Database;
  readonly clock: Clock;
}

/** Forgets the answers to requests with an `Idempotency-Key` that were first sent more than seven days ago. */
export function idempotencyChore(dependencies: IdempotencyChoreDependencies): Chore {
  let next = 0;
  return {
    what: 'old idempotency keys',
    tick: async () => {
      const now = dependencies.clock.now().getTime();
      if (now < next) return;
      await forgetRequestsBefore(dependencies.database.orm, new Date(now - KEPT_MILLISECONDS));
      next = now + PAUSE_MILLISECONDS;
    },
  };
}
