import { expect, it } from 'vitest';
import { ML_DOMAIN } from '../graph-builder.ts';
import { goodFile } from '../testing/hostile-files.ts';
import { describeModel } from './describe-model.ts';
import { inspectModel } from './inspect-model.ts';

it('tells who wrote a file, for which operators, and how many numbers it has learned', () => {
  expect(describeModel(inspectModel(goodFile((model) => (model.producerVersion = '1.2'))))).toEqual({
    producer: 'elsewhere 1.2',
    opsets: [
      { domain: '', version: 17 },
      { domain: ML_DOMAIN, version: 3 },
    ],
    operators: ['Concat', 'MatMul', 'Sigmoid', 'Sub'].map((name) => ({ name, count: 1 })),
    parameters: 3,
  });
});

it('does not count what lies in attributes', () => {
  const trees = goodFile(undefined, {
    write: (graph) => {
      graph.node('TreeEnsembleClassifier', ['X'], { domain: ML_DOMAIN, output: 'probabilities' });
    },
  });
  expect(describeModel(inspectModel(trees)).parameters).toBeNull();
});
