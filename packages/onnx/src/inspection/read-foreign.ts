import {
  columnNameSchema,
  instantSchema,
  signatureSchema,
  type ColumnType,
  type FittedLabel,
  type InputColumn,
  type Signature,
} from '@perennial/contract';
import { ModelRefusedError } from '../errors.ts';
import { ML_DOMAIN } from '../graph-builder.ts';
import { METADATA_PREFIX } from '../model-file.ts';
import { visitNodes } from './check-operators.ts';
import { checkName, refuseLookAlikes, shown } from './names.ts';
import type { ModelOutline } from './outline.ts';

/** A row as a prediction request holds it. */
export type SampleRow = Readonly<Record<string, unknown>>;

/** What a file that the platform wrote says of itself; undefined of any other. It is believed when the file has been tried. @throws ModelRefusedError */
export function ownSignature({ metadata }: ModelOutline): Signature | undefined {
  const kind = metadata.get(`${METADATA_PREFIX}kind`);
  if (kind === undefined) return undefined;
  if (kind !== 'artifact' && kind !== 'adopted')
    throw new ModelRefusedError(`it says that it is ${shown(kind)} of this platform, which is no model`);
  const parsed = signatureSchema.safeParse(jsonOf(metadata.get(`${METADATA_PREFIX}signature`)));
  if (!parsed.success)
    throw new ModelRefusedError('it says that this platform wrote it, but has no signature', {
      cause: parsed.error,
    });
  return parsed.data;
}

/** @throws ModelRefusedError where the output of a file that the platform wrote is said to be another */
export function refuseOtherOutput(own: Signature, given: Signature['output'] | undefined): void {
  const { output } = own;
  if (given === undefined || JSON.stringify(given) === JSON.stringify(output)) return;
  throw new ModelRefusedError(
    `this platform wrote it with the output ${JSON.stringify(output).slice(0, 200)}, which is not the one that was given`,
  );
}

/** Under this key an author may leave the names of a matrix's columns, as a JSON array. */
const FEATURE_NAMES = 'feature_names';

/**
 * The columns that a file from elsewhere may take, by the sample: named and in the order of its first row, or of the file's metadata `feature_names`.
 *
 * @throws ModelRefusedError where the rows do not agree on a column's type
 */
export function sampleColumns(model: ModelOutline, rows: readonly SampleRow[]): InputColumn[] {
  const names = columnOrder(model, Object.keys(rows[0] ?? {}));
  for (const name of names) {
    checkName(name, 'column in the sample');
    if (!columnNameSchema.safeParse(name).success)
      throw new ModelRefusedError(`the sample's column ${shown(name)} has no name of 1 to 128 characters`);
  }
  refuseLookAlikes(names, 'columns in the sample');
  const texts = new Set(textInputs(model));
  return names.map((name) => {
    const values = rows.map((row) => row[name]).filter((value) => value !== null && value !== undefined);
    return { name, type: columnType({ name, values, asText: texts.has(name) }) };
  });
}

function columnOrder({ metadata }: ModelOutline, keys: readonly string[]): readonly string[] {
  const named = jsonOf(metadata.get(FEATURE_NAMES));
  if (!Array.isArray(named) || !named.every((name) => typeof name === 'string')) return keys;
  const missing = named.find((name) => !keys.includes(name));
  if (missing !== undefined)
    throw new ModelRefusedError(
      `its metadata names the column ${shown(missing)}, which the sample's first row lacks`,
    );
  return named;
}

/** Inputs that are texts: a column of theirs that holds instants is text too. */
function textInputs({ graph }: ModelOutline): string[] {
  return graph.inputs.flatMap(({ name, type }) =>
    type.kind === 'tensor' && type.element === STRING ? [name] : [],
  );
}
const STRING = 8;

interface ColumnValues {
  name: string;
  values: readonly unknown[];
  asText: boolean;
}

function columnType({ name, values, asText }: ColumnValues): ColumnType {
  const types = new Set(values.map((value) => typeof value));
  const [type] = types;
  if (
    types.size > 1 ||
    !(type === undefined || type === 'number' || type === 'boolean' || type === 'string')
  ) {
    throw new ModelRefusedError(
      `the sample's column ${shown(name)} holds ${[...types].join(' and ')}; each must be numbers, texts or booleans, or null where a value is missing`,
    );
  }
  if (type === undefined) return asText ? 'text' : 'number';
  if (type !== 'string') return type;
  const instants = !asText && values.every((value) => instantSchema.safeParse(value).success);
  return instants ? 'timestamp' : 'text';
}

/** What is said of a model's output when nothing in its file tells. */
const SAY_OUTPUT =
  "say it with the request's 'output' (perennial register: --threshold 0.5 where it is one probability, --classes a,b,c, or --regression)";

/** Names that converters give to what regressors answer. */
const REGRESSORS: readonly string[] = [
  'TreeEnsembleRegressor',
  'LinearRegressor',
  'SVMRegressor',
  'TreeEnsemble',
];

/**
 * What a file from elsewhere answers: as is given, or by the classes that its classifier names. Classes 0 and 1 are a binary label with a threshold of 0.5.
 *
 * @throws ModelRefusedError where nothing tells, or the file says otherwise
 */
export function outputLabel(model: ModelOutline, given: Signature['output'] | undefined): FittedLabel {
  const classes = classesOf(model);
  if (given !== undefined) {
    refuseOtherClasses(given, classes);
    return labelOf(given);
  }
  if (classes !== undefined)
    return labelOf(
      classes.join() === '0,1' ? { kind: 'binary', threshold: 0.5 } : { kind: 'multiclass', classes },
    );
  if (isRegressor(model)) return labelOf({ kind: 'regression' });
  throw new ModelRefusedError(`nothing in it says what its output means; ${SAY_OUTPUT}`);
}

/** The classes that the file's classifier names; undefined where none does, or several name different ones. */
function classesOf({ graph }: ModelOutline): string[] | undefined {
  const found = new Map<string, string[]>();
  visitNodes(graph, ({ classes }) => {
    if (classes.length >= 2) found.set(JSON.stringify(classes), classes);
  });
  const [only] = found.values();
  return found.size === 1 ? only : undefined;
}

function isRegressor({ graph }: ModelOutline): boolean {
  let regresses = false;
  visitNodes(graph, ({ domain, operator }) => {
    regresses ||= domain === ML_DOMAIN && REGRESSORS.includes(operator);
  });
  return regresses && graph.outputs.length === 1;
}

function refuseOtherClasses(given: Signature['output'], classes: readonly string[] | undefined): void {
  if (classes === undefined) return;
  const named = classes
    .map((name) => shown(name))
    .slice(0, 20)
    .join(', ');
  const count = given.kind === 'multiclass' ? given.classes.length : given.kind === 'binary' ? 2 : 0;
  if (count !== classes.length)
    throw new ModelRefusedError(
      `its output was said to be ${given.kind}, but the file names the classes ${named}`,
    );
  // Numbers are often indices that stand for names, which may be given then.
  if (given.kind !== 'multiclass' || classes.every((name) => /^-?\d+$/.test(name))) return;
  if (given.classes.join('\0') !== classes.join('\0'))
    throw new ModelRefusedError(`its classes are ${named}, in this order, and not those that were given`);
}

function labelOf(output: Signature['output']): FittedLabel {
  switch (output.kind) {
    case 'binary':
      return { ...output, name: 'label' };
    case 'multiclass':
      return { ...output, name: 'label' };
    case 'regression':
      return { ...output, name: 'label', center: 0, scale: 1 };
  }
}

function jsonOf(text: string | undefined): unknown {
  try {
    return JSON.parse(text ?? 'null');
  } catch {
    return undefined;
  }
}
