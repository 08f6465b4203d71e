import { describe, expect, it } from 'vitest';
import { PipelineInvalidError, binary, command, csv, definePipeline, notWorse, numeric } from './index.ts';

function defineWith(train: ReturnType<typeof command>) {
  return definePipeline({
    name: 'flights',
    data: { source: csv('flights.csv'), time: 'date', window: { train: '4d', validation: '1d', test: '1d' } },
    label: binary('late', { from: 'delay > 15' }),
    features: { distance: numeric() },
    train,
    validate: { gate: notWorse({ metric: 'auc', margin: 0.01 }) },
  });
}

function issuesOf(train: unknown): string[] {
  try {
    defineWith(train as ReturnType<typeof command>);
    return [];
  } catch (error) {
    if (!(error instanceof PipelineInvalidError)) throw error;
    return error.issues.map(({ path, message }) => `${path} ${message}`);
  }
}

describe('command', () => {
  it('fills in what is not said', () => {
    const { spec, functions } = defineWith(command(['python', 'train.py']));
    expect(spec.train).toEqual({
      kind: 'command',
      command: ['python', 'train.py'],
      environment: [],
      seed: 1,
      timeout: '1h',
    });
    expect(functions).toEqual({});
  });

  it('keeps what is said', () => {
    const options = { environment: ['HF_TOKEN'], seed: 5, timeout: '2h' };
    expect(defineWith(command(['./train'], options)).spec.train).toMatchObject(options);
  });

  it.each([
    [{ ...command(['a']), command: [] }, 'train.command'],
    [command(['a', '']), 'train.command[1]'],
    [command(['a'], { environment: ['A=B'] }), 'train.environment[0]'],
    [command(['a'], { timeout: 'soon' }), 'train.timeout'],
    [command(['a'], { seed: -1 }), 'train.seed'],
    [{ ...command(['a']), warmStart: { epochs: 1 } }, "train has no field 'warmStart'"],
  ])('refuses %j', (train, issue) => {
    expect(issuesOf(train)).toEqual([expect.stringContaining(issue)]);
  });
});
