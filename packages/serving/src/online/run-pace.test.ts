import { expect, test } from 'vitest';
import { RunPace } from './run-pace.ts';

test('nothing is predicted until enough was measured', () => {
  const pace = new RunPace();
  for (let run = 0; run < 7; run++) pace.observe(10, 5);
  expect(pace.predict(1_000, 100)).toBe(0);
  expect(pace.rowsWithin(1)).toBe(Number.MAX_SAFE_INTEGER);
});

test('the fixed part of a run and the part of each row are told apart', () => {
  const pace = new RunPace();
  for (let run = 0; run < 50; run++) pace.observe(1 + (run % 7) * 10, 3 + 0.5 * (1 + (run % 7) * 10));
  expect(pace.perRow).toBeCloseTo(0.5);
  expect(pace.perRun).toBeCloseTo(3);
  expect(pace.predict(200, 100)).toBeCloseTo(2 * 3 + 200 * 0.5);
  expect(pace.rowsWithin(8.1)).toBe(16);
  expect(pace.rowsWithin(3.1)).toBe(6);
});

test('runs are not made smaller than what their fixed part is worth', () => {
  const pace = new RunPace();
  for (let run = 0; run < 50; run++) pace.observe(1 + (run % 9), 100.5 + 10 * (1 + (run % 9)));
  expect(pace.rowsWithin(5)).toBe(10);
});

test('runs of one size say what a row costs at most', () => {
  const pace = new RunPace();
  for (let run = 0; run < 50; run++) pace.observe(4, 2);
  expect(pace.perRow).toBeCloseTo(0.5);
  expect(pace.perRun).toBeCloseTo(0);
});

test('a model that became faster is believed to be so after some hundred runs', () => {
  const pace = new RunPace();
  for (let run = 0; run < 500; run++) pace.observe(1 + (run % 3), 100 * (1 + (run % 3)));
  for (let run = 0; run < 500; run++) pace.observe(1 + (run % 3), 1 + (run % 3));
  expect(pace.perRow).toBeLessThan(2);
});

test('a time that falls with the rows, as by chance, is never below nothing', () => {
  const pace = new RunPace();
  for (let run = 0; run < 20; run++) pace.observe(1 + (run % 2) * 9, run % 2 === 0 ? 10 : 1);
  expect(pace.perRow).toBe(0);
  expect(pace.perRun).toBeGreaterThan(0);
});
