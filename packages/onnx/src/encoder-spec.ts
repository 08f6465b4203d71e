import {
  encoderSpecSchema,
  type ColumnType,
  type EncoderSpec,
  type FittedFeature,
} from '@perennial/contract';
import { ArtifactInvalidError } from './errors.ts';
import { asJson } from './metadata.ts';

/** Which columns a kind of feature can read. */
const READABLE: Record<FittedFeature['kind'], readonly ColumnType[]> = {
  numeric: ['number', 'boolean'],
  boolean: ['boolean', 'number'],
  categorical: ['text', 'number', 'boolean'],
  timestamp: ['timestamp'],
  crossed: ['text', 'number', 'boolean'],
};

/**
 * Checks a spec and gives it in its normal form: keys in the schema's order, so that equal specs are written as equal bytes,
 * and numbers as the metadata will say them.
 *
 * @throws ArtifactInvalidError naming the feature and what is wrong with it.
 */
export function checkEncoderSpec(given: unknown): EncoderSpec {
  const parsed = encoderSpecSchema.safeParse(given);
  if (!parsed.success) {
    const issue = parsed.error.issues[0];
    const place = issue?.path.join('.') ?? '';
    throw new ArtifactInvalidError(`the encoder's ${place} is wrong (${issue?.message ?? 'unknown'})`, {
      cause: parsed.error,
    });
  }
  const spec = asJson(parsed.data);
  refuseRepeated(
    spec.columns.map(({ name }) => name),
    (name) => `the column '${name}' is given twice`,
  );
  refuseRepeated(
    spec.features.map(({ name }) => name),
    (name) => `the feature '${name}' is given twice`,
  );
  const types = new Map(spec.columns.map(({ name, type }) => [name, type]));
  for (const feature of spec.features) checkFeature(feature, types);
  return spec;
}

function checkFeature(feature: FittedFeature, types: ReadonlyMap<string, ColumnType>): void {
  const columns = feature.kind === 'crossed' ? feature.columns.map(({ column }) => column) : [feature.column];
  for (const column of columns) {
    const type = types.get(column);
    if (type === undefined) {
      throw new ArtifactInvalidError(
        `the feature '${feature.name}' reads the column '${column}', which is not among the inputs`,
      );
    }
    if (!READABLE[feature.kind].includes(type)) {
      throw new ArtifactInvalidError(
        `the ${feature.kind} feature '${feature.name}' cannot read the column '${column}' of type ${type}` +
          ` (it reads ${READABLE[feature.kind].join(', ')})`,
      );
    }
  }
  for (const vocabulary of vocabularies(feature)) checkVocabulary(feature.name, vocabulary);
}

function vocabularies(feature: FittedFeature): string[][] {
  if (feature.kind === 'categorical') return [feature.vocabulary];
  return feature.kind === 'crossed' ? feature.columns.map(({ vocabulary }) => vocabulary) : [];
}

function checkVocabulary(feature: string, vocabulary: string[]): void {
  if (vocabulary.includes('')) {
    throw new ArtifactInvalidError(
      `the vocabulary of the feature '${feature}' holds the empty text, which stands for a missing value`,
    );
  }
  refuseRepeated(vocabulary, (entry) => `the vocabulary of the feature '${feature}' holds '${entry}' twice`);
}

function refuseRepeated(names: readonly string[], reason: (name: string) => string): void {
  const seen = new Set<string>();
  for (const name of names) {
    if (seen.has(name)) throw new ArtifactInvalidError(reason(name));
    seen.add(name);
  }
}
