import { readFileSync } from 'node:fs';

/**
 * A trainer as a team might write it in plain Node: logistic regression by gradient descent on the number of pages and the country, from
 * Parquet to `model.onnx`.
 */
export const NODE_TRAINER = `
import { readFileSync, writeFileSync } from 'node:fs';
import { DuckDBInstance } from '@duckdb/node-api';
import { writeArtifact } from '@perennial/onnx';

const job = JSON.parse(readFileSync(process.env.PERENNIAL_JOB, 'utf8'));
const database = await (await DuckDBInstance.create()).connect();
const read = async ({ path }) =>
  (await database.runAndReadAll('select pages, country, ' + job.label.column + " from '" + path + "'")).getRows();

const COUNTRIES = ['de', 'fr', 'us', 'jp'];
const inputsOf = ([pages, country]) => [1, (pages ?? 0) / 20, ...COUNTRIES.map((name) => Number(name === country))];
const rows = (await read(job.splits.train)).map((row) => ({ x: inputsOf(row), y: row[2] }));
console.log('fitting ' + rows.length + ' rows');
const weights = new Array(6).fill(0);
for (let pass = 0; pass < 200; pass++) {
  const gradient = new Array(6).fill(0);
  for (const { x, y } of rows) {
    const error = 1 / (1 + Math.exp(-x.reduce((sum, value, i) => sum + value * weights[i], 0))) - y;
    x.forEach((value, i) => (gradient[i] += (error * value) / rows.length));
  }
  gradient.forEach((slope, i) => (weights[i] -= 3 * slope));
}

const [bias, pages, ...countries] = weights;
const encoder = {
  columns: job.columns,
  features: [
    { kind: 'numeric', name: 'pages', column: 'pages', impute: 0, missingIndicator: false, clip: {}, log: false, center: 0, scale: 20 },
    { kind: 'categorical', name: 'country', column: 'country', vocabulary: COUNTRIES, encoding: { kind: 'oneHot' } },
  ],
};
const kernel = { shape: [7, 1], data: Float32Array.of(pages, 0, 0, ...countries) };
const layer = { name: 'out', inputs: ['dense'], kind: 'dense', kernel, bias: { shape: [1], data: Float32Array.of(bias) }, activation: 'sigmoid' };
const network = { inputs: [{ name: 'dense', kind: 'dense', width: 7 }], layers: [layer], output: 'out' };
const label = { kind: 'binary', name: job.label.name, threshold: 0.5 };
writeFileSync(job.output.model, writeArtifact({ encoder, network, label, properties: { trainer: 'train.mjs' } }));
`;

/** A trainer in Python with nothing but the \`onnx\` package: a linear classifier on the matrix of numeric columns, as converters write one. */
export const PYTHON_TRAINER = `
import json, os
from onnx import TensorProto, helper, save

with open(os.environ['PERENNIAL_JOB']) as file:
    job = json.load(file)
numeric = [column['name'] for column in job['columns'] if column['type'] in ('number', 'boolean')]
print('columns', *numeric)
classify = helper.make_node(
    'LinearClassifier', ['X'], ['label', 'probabilities'], domain='ai.onnx.ml',
    coefficients=[-0.3, 0.3], intercepts=[3.0, -3.0], classlabels_ints=[0, 1], post_transform='LOGISTIC')
graph = helper.make_graph(
    [classify], 'classifier',
    [helper.make_tensor_value_info('X', TensorProto.FLOAT, [None, len(numeric)])],
    [helper.make_tensor_value_info('label', TensorProto.INT64, [None]),
     helper.make_tensor_value_info('probabilities', TensorProto.FLOAT, [None, 2])])
# ONNX Runtime lags behind the newest version of the file format, which is what the package would write.
model = helper.make_model(graph, ir_version=10, opset_imports=[helper.make_opsetid('ai.onnx.ml', 1), helper.make_opsetid('', 15)])
save(model, job['output']['model'])
`;

/** The example of docs/command-steps.md, as it stands there. */
export function scikitTrainer(): string {
  const page = readFileSync(new URL('../../docs/command-steps.md', import.meta.url), 'utf8');
  const [, program] = /^```python\n(.*?)^```$/ms.exec(page) ?? [];
  if (program === undefined) throw new Error('docs/command-steps.md has no Python example.');
  return program;
}
