import { MISSING_TIMESTAMP, type ColumnType, type InputColumn } from '@perennial/contract';
import type { RawColumn } from '@perennial/onnx';
import type { CheckFinding } from '../finding.ts';
import { checkAnswered, type BehaviourQuestion, type SettingOf } from './unanswered.ts';

/** Whether a row is answered in which a column has no value: each column in turn, and all of them. Requests lack values; a model must not. */
export async function checkMissingValues(question: BehaviourQuestion): Promise<CheckFinding[]> {
  const { inputs } = question.model.signature;
  return await checkAnswered({
    ...question,
    name: 'missing-values',
    settings: [
      ...inputs.map((input) => withMissing([input], `'${input.name}'`)),
      withMissing(inputs, 'every column'),
    ],
    nothing: 'The model takes no columns.',
  });
}

function withMissing(inputs: readonly InputColumn[], subject: string): SettingOf {
  return ({ rows }) => ({
    subject,
    value: 'missing',
    changed: Object.fromEntries(inputs.map(({ name, type }) => [name, missingColumn(type, rows)])),
  });
}

function missingColumn(type: ColumnType, rows: number): RawColumn {
  switch (type) {
    case 'number':
    case 'boolean':
      return new Float64Array(rows).fill(NaN);
    case 'text':
      return new Array<string>(rows).fill('');
    case 'timestamp':
      return new BigInt64Array(rows).fill(MISSING_TIMESTAMP);
  }
}
