import type { ColumnType, InputColumn, LabelKind, Signature } from '@perennial/contract';
import type { ConnectionOptions } from '../database/address.ts';
import { ReadSession, type ReadSessionOptions, type TextRow } from '../database/read-session.ts';

/** Which predictions are wanted, and what the model's inputs and output are. */
export interface PredictionWindow {
  model: string;
  signature: Signature;
  /** [from, to), by the time of the prediction. */
  from: Date;
  to: Date;
}

/** What a row has beside the model's inputs. */
const OWN_COLUMNS = ['label', 'time', 'key', 'version'] as const;

/**
 * The columns of a row of {@link readPredictionLog}, in order: the model's inputs, then `label`, `time`, `key` and `version`. One of those that an input is
 * called already is `prediction_label`, … .
 */
export function predictionLogColumns({ inputs, output }: Signature): InputColumn[] {
  const types: Record<(typeof OWN_COLUMNS)[number], ColumnType> = {
    label: LABEL_TYPES[output.kind],
    time: 'timestamp',
    key: 'text',
    version: 'number',
  };
  // DuckDB's names know no case.
  const taken = new Set(inputs.map(({ name }) => name.toLowerCase()));
  const own = OWN_COLUMNS.map((name) => ({
    name: taken.has(name) ? `prediction_${name}` : name,
    type: types[name],
  }));
  return [...inputs.map(({ name, type }) => ({ name, type })), ...own];
}

const LABEL_TYPES: Record<LabelKind, ColumnType> = {
  binary: 'boolean',
  multiclass: 'text',
  regression: 'number',
};

/**
 * The predictions of a model whose truth is known, batch by batch, from one snapshot; values as {@link predictionLogColumns} has them, as text. A fact belongs
 * to a prediction by its id or by the model and key; of several facts the newest counts, which is the one of the greatest id (UUIDv7 of one clock).
 *
 * @throws DatabaseUnavailableError; the signal's reason
 */
export async function* readPredictionLog(
  connection: ConnectionOptions,
  { model, signature, from, to }: PredictionWindow,
  options: ReadSessionOptions = {},
): AsyncGenerator<TextRow[]> {
  const session = await ReadSession.open(connection, options);
  const { inputs, output } = signature;
  const names = inputs.map(({ name }) => name);
  const values = inputs.map(({ type }, index) => jsonText(`p.features->($4::text[])[${index + 1}]`, type));
  const label = jsonText('fact.label', LABEL_TYPES[output.kind]);
  try {
    yield* session.rows(
      // By index and as an aggregate, for the reasons that stand at the query of live quality.
      `select ${[...values, label].join(', ')}, p.at, p.key, p.version
       from predictions p cross join lateral (
         select (array_agg(label order by id desc))[1] as label from (
           select id, label from ground_truth where prediction_id = p.id
           union all
           select id, label from ground_truth where model = $1 and key = p.key
         ) of_prediction
       ) fact
       where p.model = $1 and p.at >= $2::timestamptz and p.at < $3::timestamptz and fact.label is not null`,
      [model, from.toISOString(), to.toISOString(), names],
    );
  } finally {
    await session.close();
  }
}

/** A JSON value as the text of a column's type; null where it is of another kind. Instants are ISO 8601 or milliseconds since 1970. */
function jsonText(json: string, type: ColumnType): string {
  const kind = `jsonb_typeof(${json})`;
  const text = `(${json})#>>'{}'`;
  switch (type) {
    case 'number':
      return `case ${kind} when 'number' then ${text} when 'boolean' then ((${json})::boolean)::int::text end`;
    case 'boolean':
      return `case ${kind} when 'boolean' then ${text} when 'number' then ((${json})::numeric <> 0)::text end`;
    case 'text':
      return `case when ${kind} <> 'null' then ${text} end`;
    case 'timestamp':
      return `case ${kind} when 'number' then (timestamptz 'epoch' + (${json})::float8 * interval '1 millisecond')::text when 'string' then ${text} end`;
  }
}
