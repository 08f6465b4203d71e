import { once } from 'node:events';
import { createServer, type RequestListener } from 'node:http';
import type { AddressInfo } from 'node:net';
import { MISSING_TIMESTAMP, type InputColumn } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { describe, expect, it } from 'vitest';
import { answerDistance } from './answer-distance.ts';
import type { StartArtifactServer } from './artifact-server.ts';
import { examineServed, type ServedQuestion } from './examine-served.ts';
import { askedRows } from './instances.ts';
import { checkSlowdown } from './slowdown.ts';
import { Timings, type PairedTimings } from './timings.ts';

const INPUTS: InputColumn[] = [
  { name: 'x', type: 'number' },
  { name: 'flag', type: 'boolean' },
  { name: 'at', type: 'timestamp' },
  { name: 'place', type: 'text' },
];

describe('rows as requests carry them', () => {
  it('have numbers, booleans, ISO 8601 and text, and null for what is missing', () => {
    const columns = {
      x: Float64Array.of(1.5, NaN),
      flag: Float64Array.of(1, NaN),
      at: BigInt64Array.of(0n, MISSING_TIMESTAMP),
      place: ['ORD', ''],
    };
    expect(askedRows({ rows: 2, columns }, INPUTS, 10).instances).toEqual([
      { x: 1.5, flag: true, at: '1970-01-01T00:00:00.000Z', place: 'ORD' },
      { x: null, flag: null, at: null, place: null },
    ]);
  });

  it('leave out the rows that no client can send, and keep the others’ numbers', () => {
    const columns = {
      x: Float64Array.of(Infinity, 1, 2, 3),
      flag: Float64Array.of(0, 0, 0, 0),
      at: BigInt64Array.of(0n, BigInt(Date.UTC(12_000, 0)), 0n, 0n),
      place: ['a', 'b', 'c\0', 'd'],
    };
    const { rows, instances } = askedRows({ rows: 4, columns }, INPUTS, 10);
    expect([...rows]).toEqual([1, 3]);
    expect(instances[0]!['at']).toBe(Date.UTC(12_000, 0));
  });
});

describe('the distance of a served answer', () => {
  const binary: OutputBatch = {
    kind: 'binary',
    probability: Float32Array.of(0.25, 0.5),
    decision: Uint8Array.of(0, 1),
  };
  const multiclass: OutputBatch = {
    kind: 'multiclass',
    classes: ['a', 'b'],
    probabilities: Float32Array.of(0.25, 0.75),
    decision: ['b'],
  };

  it('is that of the probabilities, unless the decision is another one', () => {
    const at = { row: 0, threshold: 0.5 };
    expect(answerDistance({ probability: 0.5, decision: false }, binary, at)).toBe(0.25);
    expect(answerDistance({ probability: 0.25, decision: true }, binary, at)).toBe(Infinity);
    // At the threshold the last digit decides.
    expect(answerDistance({ probability: 0.5, decision: false }, binary, { ...at, row: 1 })).toBe(0);
  });

  it('is the largest of the classes', () => {
    const at = { row: 0, threshold: NaN };
    const answer = (probabilities: Record<string, number>, decision = 'b') =>
      answerDistance({ probabilities, decision }, multiclass, at);
    expect(answer({ a: 0.5, b: 0.75 })).toBe(0.25);
    expect(answer({ a: 0.25, b: 0.75 }, 'a')).toBe(Infinity);
    expect(answer({ a: 0.25 })).toBe(Infinity);
  });

  it('of values is by their size', () => {
    const regression: OutputBatch = { kind: 'regression', value: Float32Array.of(2000) };
    expect(answerDistance({ value: 2002 }, regression, { row: 0, threshold: NaN })).toBeCloseTo(0.001, 10);
    expect(answerDistance({ value: 1 }, binary, { row: 0, threshold: 0.5 })).toBe(Infinity);
  });
});

describe('a slowdown', () => {
  const timings = (candidate: number[], champion: number[]): PairedTimings => {
    const paired = { what: 'a request of one row', candidate: new Timings(), champion: new Timings() };
    candidate.forEach((milliseconds) => paired.candidate.add(milliseconds));
    champion.forEach((milliseconds) => paired.champion.add(milliseconds));
    return paired;
  };

  it('of more than three times by the medians fails, and says so', () => {
    const finding = checkSlowdown([timings([1, 1, 9], [1, 1, 1]), timings([5, 5, 5], [1, 1, 1])]);
    expect(finding).toMatchObject({ outcome: 'fail', measured: 5, limit: 3 });
    expect(finding.explanation).toBe(
      'A request of one row takes 5 ms, with the champion 1 ms: 5 times as long. At most 3 times as long is allowed.',
    );
  });

  it('is none where the times overlap, or differ by next to nothing', () => {
    expect(checkSlowdown([timings([1, 1, 4, 4, 4], [1, 1, 1, 5, 5])])).toMatchObject({ outcome: 'pass' });
    expect(checkSlowdown([timings([0.04, 0.04], [0.01, 0.01])])).toMatchObject({ outcome: 'pass' });
  });
});

/** Starts a server that answers as told, and says the given lines at its end. */
function starting(answer: RequestListener, lines: string[] = []): StartArtifactServer {
  return async () => {
    const server = createServer(answer).listen(0, '127.0.0.1');
    await once(server, 'listening');
    return {
      url: `http://127.0.0.1:${(server.address() as AddressInfo).port}`,
      token: 'token',
      residentBytes: () => Promise.resolve(1),
      lastLines: () => lines,
      close: async () => {
        server.closeAllConnections();
        server.close();
        await once(server, 'close');
      },
    };
  };
}

function question(start: StartArtifactServer): ServedQuestion {
  const model = {
    artifact: `sha256:${'0'.repeat(64)}`,
    signature: { inputs: [{ name: 'x', type: 'number' as const }], output: { kind: 'regression' as const } },
    run: ({ rows }: { rows: number }) =>
      Promise.resolve<OutputBatch>({ kind: 'regression', value: new Float32Array(rows) }),
  };
  const batch = { rows: 2, columns: { x: Float64Array.of(1, 2) } };
  return { start, name: 'm', candidate: { file: 'model.onnx', model }, champion: null, batch };
}

describe('a served artifact that does not answer', () => {
  const failures: [string, RequestListener, RegExp][] = [
    ['because it died', (request) => request.socket.destroy(), /a request fails\nout of memory/],
    [
      'but with an error',
      (_, response) => response.writeHead(500).end('oh'),
      /a request was answered 500: oh/,
    ],
    ['with a prediction', (_, response) => response.end('{}'), /what is no prediction: {}/],
  ];
  it.each(failures)('%s fails the candidate', async (_, answer, explanation) => {
    const { report, findings } = await examineServed(question(starting(answer, ['out of memory'])));
    expect(report).toBeNull();
    expect(findings[0]).toMatchObject({ name: 'served-answers', outcome: 'fail' });
    expect(findings[0]!.explanation).toMatch(explanation);
    expect(findings[1]).toMatchObject({ name: 'served-latency', outcome: 'skipped' });
  });

  it('because it never came up fails the candidate, with the reason', async () => {
    const { findings } = await examineServed(question(() => Promise.reject(new Error('no such file'))));
    expect(findings[0]!.explanation).toBe('A fresh serving process does not serve it: no such file');
  });

  it('is given up when the validation is', async () => {
    const controller = new AbortController();
    const reason = new Error('the run was cancelled');
    // The server never answers; its first request is when it is called off.
    const start = starting(() => controller.abort(reason));
    const examined = examineServed({ ...question(start), signal: controller.signal });
    await expect(examined).rejects.toBe(reason);
  });

  it('is not started where there are no rows to ask about', async () => {
    const start = () => Promise.reject(new Error('It was started.'));
    const { findings } = await examineServed({
      ...question(start),
      batch: { rows: 0, columns: { x: new Float64Array(0) } },
    });
    expect(findings.map(({ outcome }) => outcome)).toEqual(['skipped', 'skipped']);
  });
});
