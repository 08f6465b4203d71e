import type { LabelSpec } from '@perennial/contract';
import { asWritten, isLimit } from './author-paths.ts';
import { checkSpec } from './check-spec.ts';
import type { PipelineDefinition, PipelineFunctions, PipelineInput } from './definition.ts';
import { PipelineInvalidError } from './errors.ts';
import { queryFunction } from './sources.ts';
import { custom, type CustomTrain } from './train.ts';

/**
 * Marks a definition. A registered symbol, because the pipeline's copy of this package and the loader's need not be the same one, and
 * `instanceof` would then refuse a good definition.
 */
const DEFINITION = Symbol.for('perennial.pipeline-definition');

/**
 * Defines a pipeline: checks what the author wrote and fills in every default. Export the result as the file's default.
 *
 * @throws PipelineInvalidError naming every field that is wrong and what is allowed there
 */
export function definePipeline<Column extends string, const Label extends LabelSpec, Name extends string>(
  input: PipelineInput<Column, Label, Name>,
): PipelineDefinition {
  const { spec, issues } = checkSpec(normalise(input));
  if (spec === undefined) {
    const written = issues.map((issue) => asWritten(issue, input));
    throw new PipelineInvalidError(written, { pipeline: nameOf(input) });
  }
  const definition: PipelineDefinition = { spec, functions: functionsOf(input) };
  if (spec.data.source.kind === 'query' && definition.functions.query === undefined) {
    const message = 'needs its function: write it as query(async function* ({ from, to, signal }) { … })';
    throw new PipelineInvalidError([{ path: 'data.source', message }], { pipeline: spec.name });
  }
  return Object.defineProperty(definition, DEFINITION, { value: true });
}

/** Whether a value came out of {@link definePipeline}, of this copy of the package or another. */
export function isPipelineDefinition(value: unknown): value is PipelineDefinition {
  return isObject(value) && DEFINITION in value;
}

/**
 * The author's input in the shape of the specification, with unknown fields left in for the check to refuse. Takes what it finds for no more
 * than it is, since JavaScript authors have no compiler.
 */
function normalise(input: unknown): unknown {
  if (!isObject(input)) return input;
  return {
    owners: [],
    limitations: [],
    serving: { modes: ['online'] },
    ...input,
    release: releaseOf(input['release']),
    ...scheduleOf(input['schedule']),
    triggers: triggersOf(input['triggers']),
    limits: withDefaults(input['limits'] ?? {}, { whenBusy: 'wait' }),
    steps: stepsOf(input['steps']),
    data: withDefaults(input['data'], { expectations: [] }),
    features: withColumns(input['features']),
    train: trainOf(input['train']),
    validate: validateOf(input['validate']),
  };
}

function scheduleOf(schedule: unknown): { schedule?: unknown } {
  if (schedule === undefined) return {};
  return {
    schedule: withDefaults(typeof schedule === 'string' ? { cron: schedule } : schedule, {
      timezone: 'UTC',
      catchUp: 'latest',
    }),
  };
}

function triggersOf(triggers: unknown): unknown {
  if (!isObject(triggers)) return triggers ?? {};
  return 'files' in triggers
    ? { ...triggers, files: withDefaults(triggers['files'], { settle: '10s' }) }
    : triggers;
}

/** Defaults of the steps: data and validation are short, and a training may take the night. */
const STEP_DEFAULTS = {
  data: { timeout: '1h', attempts: 3, backoff: '5s' },
  training: { timeout: '12h', attempts: 3, backoff: '10s' },
  validation: { timeout: '1h', attempts: 3, backoff: '5s' },
};

function stepsOf(steps: unknown): unknown {
  if (steps !== undefined && !isObject(steps)) return steps;
  const given = steps ?? {};
  const known = Object.entries(STEP_DEFAULTS).map(([name, defaults]) => [
    name,
    withDefaults(given[name] ?? {}, defaults),
  ]);
  return { ...given, ...Object.fromEntries(known) };
}

function releaseOf(release: unknown): unknown {
  if (!isObject(release)) return release ?? { approval: 'automatic' };
  return release['approval'] === 'required'
    ? withDefaults(release, { approvers: 1, expires: '7d' })
    : release;
}

const SLICE_DEFAULTS = { columns: [], pairs: true, minRows: 200 };

function validateOf(validate: unknown): unknown {
  if (!isObject(validate)) return validate;
  const { gate, inconclusive, slices, goldenSets, ...rest } = validate;
  return {
    behaviour: [],
    checks: {},
    testSet: { comparisons: 10 },
    ...rest,
    gate: gateOf(gate, inconclusive),
    slices: withDefaults(Array.isArray(slices) ? { columns: slices } : (slices ?? {}), SLICE_DEFAULTS),
    goldenSets: Array.isArray(goldenSets)
      ? goldenSets.map((set: unknown) => withDefaults(set, { limits: [] }))
      : (goldenSets ?? []),
  };
}

/** Rules of one list, told apart by their kind; one of an unknown kind is left among the comparisons for the check to refuse. */
function gateOf(gate: unknown, inconclusive: unknown): unknown {
  const rules: unknown[] = Array.isArray(gate) ? gate : [gate];
  return {
    comparisons: rules.filter((rule) => !isLimit(rule)),
    limits: rules.filter(isLimit),
    inconclusive: inconclusive ?? 'hold',
  };
}

function withColumns(features: unknown): unknown {
  if (!isObject(features)) return features;
  return Object.fromEntries(
    Object.entries(features).map(([name, feature]) => [
      name,
      isObject(feature) && feature['kind'] !== 'crossed'
        ? { ...feature, column: feature['column'] ?? name }
        : feature,
    ]),
  );
}

function trainOf(train: unknown): unknown {
  if (typeof train === 'function') return custom(train as CustomTrain['build']).spec;
  return isCustom(train) ? train.spec : train;
}

function functionsOf({ train, data: { source } }: Pick<PipelineInput, 'train' | 'data'>): PipelineFunctions {
  const rows = queryFunction(source);
  return { ...trainFunctionOf(train), ...(rows === undefined ? {} : { query: rows }) };
}

function trainFunctionOf(train: PipelineInput['train']): Pick<PipelineFunctions, 'train'> {
  if (typeof train === 'function') return { train };
  return isCustom(train) ? { train: train.build } : {};
}

function isCustom(train: unknown): train is CustomTrain {
  return isObject(train) && typeof train['build'] === 'function';
}

function nameOf(input: unknown): string | undefined {
  return isObject(input) && typeof input['name'] === 'string' ? input['name'] : undefined;
}

function withDefaults(value: unknown, defaults: Record<string, unknown>): unknown {
  return isObject(value) ? { ...defaults, ...value } : value;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null;
}
