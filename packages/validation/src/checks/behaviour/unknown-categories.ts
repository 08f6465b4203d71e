import type { CheckFinding } from '../finding.ts';
import { checkAnswered, type BehaviourQuestion, type SettingOf } from './unanswered.ts';

/** In no vocabulary: the code point is one that Unicode leaves to private use. */
const UNKNOWN = '\u{10FFFD} unknown';

/** Whether a row is answered whose text the model has never seen: each text column in turn, and all of them. */
export async function checkUnknownCategories(question: BehaviourQuestion): Promise<CheckFinding[]> {
  const names = question.model.signature.inputs.flatMap(({ name, type }) => (type === 'text' ? [name] : []));
  return await checkAnswered({
    ...question,
    name: 'unknown-categories',
    settings: [
      ...names.map((name) => withUnknown([name], `'${name}'`)),
      ...(names.length > 1 ? [withUnknown(names, 'every text column')] : []),
    ],
    nothing: 'The model takes no text.',
  });
}

function withUnknown(names: readonly string[], subject: string): SettingOf {
  return ({ rows }) => ({
    subject,
    value: 'unknown',
    changed: Object.fromEntries(names.map((name) => [name, new Array<string>(rows).fill(UNKNOWN)])),
  });
}
