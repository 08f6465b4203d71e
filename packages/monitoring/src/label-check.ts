import type { LabelValue, Signature } from '@perennial/contract';
import { LabelMismatchError } from './errors.ts';

interface LabelledItem {
  item: { label: LabelValue };
  model: string;
}

/** @throws LabelMismatchError for the first fact that cannot be its model's label */
export async function checkLabels(
  items: LabelledItem[],
  outputOf: (model: string) => Promise<Signature['output']>,
): Promise<void> {
  for (const [index, { item, model }] of items.entries()) {
    const allowed = allowedLabel(await outputOf(model), item.label);
    if (allowed !== undefined) throw new LabelMismatchError(index, allowed);
  }
}

/** What would be allowed, when the label is not; undefined when it is. */
function allowedLabel(output: Signature['output'], label: LabelValue): string | undefined {
  switch (output.kind) {
    case 'binary':
      return typeof label === 'boolean' || label === 0 || label === 1 ? undefined : 'true, false, 1 or 0';
    case 'multiclass':
      // A class the model has never seen is a fact all the same: it counts as wrong.
      return typeof label === 'string' ? undefined : `a class such as '${output.classes[0]}'`;
    case 'regression':
      return typeof label === 'number' ? undefined : 'a number';
  }
}
