import type { InputColumn } from '@perennial/contract';
import type { CheckFinding } from '../finding.ts';
import { checkAnswered, type BehaviourQuestion, type SettingOf } from './unanswered.ts';

/** Largest float32: beyond it a value becomes infinite on its way into the network. */
const MOST_FLOAT32 = 2 ** 128 - 2 ** 104;
const NUMBERS: readonly [text: string, value: number][] = [
  ['0', 0],
  ['1e30', 1e30],
  ['-1e30', -1e30],
  ['the largest float32', MOST_FLOAT32],
  ['the lowest float32', -MOST_FLOAT32],
];
/** First and last millisecond that a date of ECMAScript can name, and so a request. */
const INSTANTS: readonly [text: string, value: bigint][] = [
  ['-271821-04-20', -8_640_000_000_000_000n],
  ['+275760-09-13', 8_640_000_000_000_000n],
];

/** Whether a row is answered whose numbers and times lie far beyond anything that was learnt from, each column in turn. */
export async function checkExtremeNumbers(question: BehaviourQuestion): Promise<CheckFinding[]> {
  return await checkAnswered({
    ...question,
    name: 'extreme-numbers',
    settings: question.model.signature.inputs.flatMap(extremesOf),
    nothing: 'The model takes no numbers and no times.',
  });
}

function extremesOf({ name, type }: InputColumn): SettingOf[] {
  switch (type) {
    case 'number':
      return NUMBERS.map(([text, value]) => ({ rows }) => ({
        subject: `'${name}'`,
        value: `at ${text}`,
        changed: { [name]: new Float64Array(rows).fill(value) },
      }));
    case 'timestamp':
      return INSTANTS.map(([text, value]) => ({ rows }) => ({
        subject: `'${name}'`,
        value: `at ${text}`,
        changed: { [name]: new BigInt64Array(rows).fill(value) },
      }));
    case 'boolean':
    case 'text':
      return [];
  }
}
