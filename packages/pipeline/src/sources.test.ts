import { describe, expect, it } from 'vitest';
import { definePipeline } from './define-pipeline.ts';
import type { PipelineDefinition, PipelineInput } from './definition.ts';
import { QueryFunctionError } from './errors.ts';
import { numeric } from './features.ts';
import { notWorse } from './gate.ts';
import { binary } from './labels.ts';
import { objectStore, postgres, predictionLog, query, stream, type Source } from './sources.ts';
import { mlp } from './train.ts';

function define(source: Source): PipelineDefinition {
  const input: PipelineInput = {
    name: 'trips',
    data: { source, time: 'at', window: { train: '7d', validation: '1d', test: '1d' } },
    label: binary('late', { from: 'delay > 15' }),
    features: { distance: numeric() },
    train: mlp(),
    validate: { gate: notWorse({ metric: 'auc', margin: 0.005 }) },
  };
  return definePipeline(input);
}

/** What an author without a compiler may write. */
function handwritten(kind: string): Source {
  return JSON.parse(JSON.stringify({ kind })) as Source;
}

describe('a source that is no file', () => {
  it.each([
    [
      postgres({ connection: 'warehouse', query: 'select 1' }),
      { kind: 'postgres', connection: 'warehouse', query: 'select 1' },
    ],
    [
      objectStore({ bucket: 'trips', format: 'csv' }),
      { kind: 'objectStore', bucket: 'trips', prefix: '', format: 'csv' },
    ],
    [stream('trips'), { kind: 'stream', stream: 'trips' }],
    [predictionLog('trips'), { kind: 'predictionLog', model: 'trips' }],
  ])('is specified in full: %j', (source, expected) => {
    expect(define(source).spec.data.source).toEqual(expected);
  });

  it.each([
    [postgres({ connection: 'Ware House', query: 'select 1' }), 'data.source.connection: must be 1 to 63'],
    [postgres({ connection: 'warehouse', query: ' \n' }), 'data.source.query: must be a query'],
    [objectStore({ bucket: 'Trips_', format: 'csv' }), 'data.source.bucket: must be the name of a bucket'],
    [stream('no stream'), 'data.source.stream: must be 1 to 63'],
    [predictionLog(''), 'data.source.model: must be 1 to 63'],
    [handwritten('query'), 'data.source: needs its function'],
    [handwritten('kafka'), 'data.source.kind'],
  ])('is refused where it is not valid: %j', (source, message) => {
    expect(() => define(source)).toThrow(message);
  });

  it('brings its function beside the specification', async () => {
    async function* rows() {
      yield { at: new Date(0), delay: 1, distance: 2 };
    }
    const { spec, functions } = define(query(rows));
    expect(functions.query).toBe(rows);
    expect(spec.data.source).toEqual({ kind: 'query' });
    expect(JSON.parse(JSON.stringify(query(rows)))).toEqual({ kind: 'query' });
  });
});

describe('QueryFunctionError', () => {
  it.each([
    [new TypeError('fetch failed', { cause: Object.assign(new Error(), { code: 'ECONNREFUSED' }) }), true],
    [Object.assign(new Error(), { code: 'ETIMEDOUT' }), true],
    [new RangeError('odd'), false],
    ['enough', false],
    [null, false],
  ])('passes by itself only where the network was the reason: %s', (cause, transient) => {
    expect(new QueryFunctionError('it', { pipeline: 'trips', cause }).transient).toBe(transient);
  });
});
