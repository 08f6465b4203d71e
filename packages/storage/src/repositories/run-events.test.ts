import fc from 'fast-check';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import {
  IdGenerator,
  LeaseLostError,
  ManualClock,
  RUN_TRANSITIONS,
  TransitionRefusedError,
  nextState,
  type RunEvent,
  type RunState,
  type RunTransition,
} from '@perennial/contract';
import { transaction } from '../database/transaction.ts';
import { createTestDatabase, type TestDatabase } from '../testing/index.ts';
import { SPEC } from '../testing/pipeline-spec.ts';
import { savePipeline } from './pipelines.ts';
import { appendRunEvent, takeRun } from './run-events.ts';
import { createRun, getRun, getRunRow, listRunEvents } from './runs.ts';

const clock = new ManualClock('2001-02-01T00:00:00Z');
const ids = new IdGenerator(clock);
const DIGEST = `sha256:${'0'.repeat(64)}`;
let test: TestDatabase;

beforeAll(async () => {
  test = await createTestDatabase();
  await savePipeline(test.database.orm, { spec: SPEC, codeDigest: DIGEST, loadedAt: clock.now() });
});
afterAll(() => test.drop());

/** What the database ought to hold of the run. */
interface Model {
  state: RunState;
  fence: number;
  /** Tokens that workers hold, the newest last. */
  tokens: number[];
  events: RunEvent['type'][];
  step: 'absent' | 'running' | 'succeeded' | 'failed';
}

interface Real {
  id: string;
}

type Command = fc.AsyncCommand<Model, Real>;

const append = (real: Real, event: RunEvent, fence?: number) =>
  transaction(test.database, (tx) =>
    appendRunEvent(tx, { runId: real.id, at: clock.now(), event, ...(fence === undefined ? {} : { fence }) }),
  );

class Take implements Command {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const take = transaction(test.database, (tx) =>
      takeRun(tx, { runId: real.id, worker: 'w', at: clock.now() }),
    );
    if (model.state !== 'queued' && model.state !== 'running') {
      await expect(take).rejects.toThrow(TransitionRefusedError);
      return;
    }
    model.fence += 1;
    expect(await take).toBe(model.fence);
    model.tokens.push(model.fence);
    model.state = 'running';
    model.events.push('started');
  }
  toString = () => 'take';
}

const STEP_EVENTS = {
  'step-started': { type: 'step-started', step: 'training', attempt: 1, inputDigest: DIGEST },
  'step-succeeded': { type: 'step-succeeded', step: 'training', reused: false, output: {} },
  'step-failed': { type: 'step-failed', step: 'training', attempt: 1, error: { code: 'x', message: 'x' } },
} as const satisfies Record<string, RunEvent>;

const END_EVENTS = {
  succeeded: { type: 'succeeded', model: 'churn', version: 1, verdict: 'pass', live: true },
  failed: { type: 'failed', error: { code: 'x', message: 'x' } },
} as const satisfies Record<string, RunEvent>;
const TRANSITIONS: Record<keyof typeof END_EVENTS, RunTransition> = { succeeded: 'succeed', failed: 'fail' };

/** A worker appends, naming the newest token or one that is over. */
class Append implements Command {
  readonly #type: keyof typeof STEP_EVENTS | keyof typeof END_EVENTS;
  readonly #age: number;

  constructor(type: keyof typeof STEP_EVENTS | keyof typeof END_EVENTS, age: number) {
    this.#type = type;
    this.#age = age;
  }

  check = (model: Model) => model.tokens.length > this.#age;

  async run(model: Model, real: Real): Promise<void> {
    const token = model.tokens.at(-1 - this.#age) ?? 0;
    const event: RunEvent = { ...STEP_EVENTS, ...END_EVENTS }[this.#type];
    const appending = append(real, event, token);
    if (token !== model.fence) {
      await expect(appending).rejects.toThrow(LeaseLostError);
      return;
    }
    const next = this.#next(model.state);
    if (next === undefined) {
      await expect(appending).rejects.toThrow(TransitionRefusedError);
      return;
    }
    await appending;
    model.state = next;
    model.events.push(this.#type);
    this.#moveStep(model);
  }

  #next(state: RunState): RunState | undefined {
    if (this.#type === 'succeeded' || this.#type === 'failed')
      return nextState(RUN_TRANSITIONS, state, TRANSITIONS[this.#type]);
    return state === 'running' ? 'running' : undefined;
  }

  #moveStep(model: Model): void {
    if (this.#type === 'step-started') model.step = 'running';
    else if (model.step === 'absent') return;
    else if (this.#type === 'step-succeeded') model.step = 'succeeded';
    else if (this.#type === 'step-failed') model.step = 'failed';
  }

  toString = () => `${this.#type} with the token ${this.#age} back`;
}

class Cancel implements Command {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const cancelling = append(real, { type: 'cancelled', by: 'ada' });
    const next = nextState(RUN_TRANSITIONS, model.state, 'cancel');
    if (next === undefined) {
      await expect(cancelling).rejects.toThrow(TransitionRefusedError);
      return;
    }
    await cancelling;
    model.state = next;
    model.events.push('cancelled');
  }
  toString = () => 'cancel';
}

/** The rows are what the events say. */
class Look implements Command {
  check = () => true;
  async run(model: Model, real: Real): Promise<void> {
    const run = await getRun(test.database.orm, real.id);
    expect(run.state).toBe(model.state);
    expect(run.endedAt === null).toBe(model.state === 'queued' || model.state === 'running');
    expect(run.steps.map((step) => step.state)).toEqual(model.step === 'absent' ? [] : [model.step]);
    const { items } = await listRunEvents(test.database.orm, real.id, { limit: 500 });
    expect(items.map(({ event }) => event.type)).toEqual(model.events);
    expect(items.map(({ sequence }) => sequence)).toEqual(model.events.map((_, i) => i + 1));
    expect((await getRunRow(test.database.orm, real.id)).fence).toBe(model.fence);
  }
  toString = () => 'look';
}

describe('a run in the database', () => {
  it(
    'is what its state machine and its fence allow, whatever comes in whatever order',
    { timeout: 120_000 },
    async () => {
      const types = [...Object.keys(STEP_EVENTS), ...Object.keys(END_EVENTS)] as (keyof typeof STEP_EVENTS)[];
      const commands = fc.commands(
        [
          fc.constant(new Take()),
          fc.tuple(fc.constantFrom(...types), fc.nat({ max: 2 })).map(([type, age]) => new Append(type, age)),
          fc.constant(new Cancel()),
          fc.constant(new Look()),
        ],
        { maxCommands: 30 },
      );
      await fc.assert(
        fc.asyncProperty(commands, async (sequence) => {
          const id = ids.next();
          const trigger = { kind: 'request' as const, by: 'test' };
          const run = {
            id,
            spec: SPEC,
            codeDigest: DIGEST,
            trigger,
            asOf: clock.now(),
            force: false,
            createdAt: clock.now(),
          };
          await createRun(test.database.orm, run);
          const model: Model = { state: 'queued', fence: 0, tokens: [], events: ['created'], step: 'absent' };
          await fc.asyncModelRun(() => ({ model, real: { id } }), [...sequence, new Look()]);
        }),
        { numRuns: 60 },
      );
    },
  );

  it('lets one of two workers that append at once write, and the other one nothing', async () => {
    const id = ids.next();
    const trigger = { kind: 'request' as const, by: 'test' };
    const run = {
      id,
      spec: SPEC,
      codeDigest: DIGEST,
      trigger,
      asOf: clock.now(),
      force: false,
      createdAt: clock.now(),
    };
    await createRun(test.database.orm, run);
    const take = () =>
      transaction(test.database, (tx) => takeRun(tx, { runId: id, worker: 'w', at: clock.now() }));
    const fences = [await take(), await take()];
    const outcomes = await Promise.allSettled(
      fences.map((fence) => append({ id }, END_EVENTS.succeeded, fence)),
    );
    expect(outcomes.map((outcome) => outcome.status)).toEqual(['rejected', 'fulfilled']);
  });
});
