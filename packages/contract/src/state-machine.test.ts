import { describe, expect, it } from 'vitest';
import { RELEASE_TRANSITIONS, releaseStateSchema, type ReleaseTransition } from './release.ts';
import { RUN_TRANSITIONS, runStateSchema, type RunTransition } from './run.ts';
import { finalStates, nextState } from './state-machine.ts';

const RUN_EVENTS: RunTransition[] = ['start', 'succeed', 'fail', 'cancel'];
const RELEASE_EVENTS: ReleaseTransition[] = [
  'approve',
  'reject',
  'promote',
  'supersede',
  'roll-back',
  'restore',
];

/** Every state with every event: `state event → state`, or `✗` where it is refused. */
function table(
  states: readonly string[],
  events: readonly string[],
  next: (s: never, e: never) => string | undefined,
) {
  return states.flatMap((state) =>
    events.map((event) => `${state} ${event} → ${next(state as never, event as never) ?? '✗'}`),
  );
}

describe('a run', () => {
  it('goes only these ways', () => {
    expect(
      table(runStateSchema.options, RUN_EVENTS, (state, event) => nextState(RUN_TRANSITIONS, state, event)),
    ).toEqual([
      'queued start → running',
      'queued succeed → ✗',
      'queued fail → failed',
      'queued cancel → cancelled',
      'running start → ✗',
      'running succeed → succeeded',
      'running fail → failed',
      'running cancel → cancelled',
      'succeeded start → ✗',
      'succeeded succeed → ✗',
      'succeeded fail → ✗',
      'succeeded cancel → ✗',
      'failed start → ✗',
      'failed succeed → ✗',
      'failed fail → ✗',
      'failed cancel → ✗',
      'cancelled start → ✗',
      'cancelled succeed → ✗',
      'cancelled fail → ✗',
      'cancelled cancel → ✗',
    ]);
  });

  it('ends in one of three states', () => {
    expect(finalStates(RUN_TRANSITIONS)).toEqual(['succeeded', 'failed', 'cancelled']);
  });
});

describe('a release', () => {
  it('goes only these ways', () => {
    const ways = table(releaseStateSchema.options, RELEASE_EVENTS, (state, event) =>
      nextState(RELEASE_TRANSITIONS, state, event),
    );
    expect(ways).toHaveLength(36);
    expect(ways.filter((way) => !way.endsWith('✗'))).toEqual([
      'pending approve → approved',
      'pending reject → rejected',
      'pending supersede → superseded',
      'approved reject → rejected',
      'approved promote → live',
      'approved supersede → superseded',
      'live supersede → superseded',
      'live roll-back → rolled-back',
      'superseded restore → live',
    ]);
  });

  it('ends rejected or rolled back: a superseded one may be restored', () => {
    expect(finalStates(RELEASE_TRANSITIONS)).toEqual(['rejected', 'rolled-back']);
  });

  it('does not go live unapproved', () => {
    expect(nextState(RELEASE_TRANSITIONS, 'pending', 'promote')).toBeUndefined();
  });
});
