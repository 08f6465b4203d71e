import { expect, it } from 'vitest';
import { LoadGate } from './load-gate.ts';

/** Lets in and answers so many, one after another. */
function answer(gate: LoadGate, requests: number): void {
  for (let i = 0; i < requests; i++) {
    gate.enter();
    gate.leave();
  }
}

it('lets 256 in at once whatever the pace, and the next again when one is answered', () => {
  const gate = new LoadGate(() => ({ milliseconds: 1_000_000 }));
  answer(gate, 5_000);
  const entered = Array.from({ length: 300 }, () => gate.enter());
  expect(entered.filter(Boolean)).toHaveLength(256);
  expect(gate.refused).toBe(44);
  gate.leave();
  expect([gate.enter(), gate.enter()]).toEqual([true, false]);
});

it('lets in as many as are answered in 25 ms of a busy thread', () => {
  const gate = new LoadGate(() => ({ milliseconds: 40 }));
  answer(gate, 1_000);
  expect(gate.limit).toBe((1_000 / 0.04) * 0.025);
});

it('follows the pace', () => {
  let milliseconds = 20;
  const gate = new LoadGate(() => ({ milliseconds }));
  answer(gate, 1_000);
  expect(gate.limit).toBe(1_250);
  milliseconds = 100;
  answer(gate, 1_000);
  expect(gate.limit).toBe(256);
});

it('believes no pace without end', () => {
  const gate = new LoadGate(() => ({ milliseconds: 0 }));
  answer(gate, 1_000);
  expect(Number.isFinite(gate.limit)).toBe(true);
});
