import { expect, test } from 'vitest';
import { IdGenerator, ManualClock, predictResponseSchema, type Prediction } from '@perennial/contract';
import { encodePrediction } from '../journal/prediction-record.ts';
import { AnswerStamps, answerStart, recordText, rowText } from './prediction-texts.ts';

const frame = {
  model: 'flight-delay',
  version: 3,
  latencyMicroseconds: 120,
  at: '2024-01-02T03:04:05.678Z',
} as const;
const id = '018df9f5-0400-7000-8000-000000000000';

test.each([null, 'k-1', 'a "quoted"\nkey'])('a record is that of the prediction, with the key %j', (key) => {
  const features = { distance: 1.5, origin: 'Zürich "ZRH"\n', late: null };
  const output = { probability: 0.25, decision: false };
  const prediction: Prediction = { id, ...frame, mode: 'live', endpoint: frame.model, key, features, output };
  const record = recordText(frame, { id, key, features, output: JSON.stringify(output), mode: 'live' });
  expect(record).toBe(encodePrediction(prediction));
  expect(record).not.toContain('\n');
});

test('an answer is the JSON of a response', () => {
  const rows = [0.5, 1].map((value) => rowText(id, JSON.stringify({ value }), 'live'));
  const text = `${answerStart('m', 2)}${rows.join(',')}]}`;
  const response = predictResponseSchema.parse(JSON.parse(text));
  expect(JSON.stringify(response)).toBe(text);
});

test('stamps follow the clock', () => {
  const clock = new ManualClock('2001-01-01T00:00:00.000Z');
  const stamps = new AnswerStamps({ clock, ids: new IdGenerator(clock) });
  expect([stamps.now(), stamps.now()]).toEqual(Array(2).fill('2001-01-01T00:00:00.000Z'));
  clock.advance(1);
  expect(stamps.now()).toBe('2001-01-01T00:00:00.001Z');
  expect(stamps.id() < stamps.id()).toBe(true);
});
