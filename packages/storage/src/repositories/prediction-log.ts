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
  const label = jsonText(
    'case when i.id is null or k.id > i.id then k.label else i.label end',
    LABEL_TYPES[output.kind],
  );
  const asked = `model = $1 and at >= $2::timestamptz and at < $3::timestamptz`;
  try {
    yield* session.rows(
      `with by_id as (
         select distinct on (prediction_id) prediction_id, id, label from ground_truth
         where prediction_id in (select id from predictions where ${asked}) order by prediction_id, id desc
       ),
       by_key as (
         select distinct on (key) key, id, label from ground_truth
         where model = $1 and key in (select key from predictions where ${asked}) order by key, id desc
       )
       select ${[...values, label].join(', ')}, p.at, p.key, p.version
       from predictions p left join by_id i on i.prediction_id = p.id left join by_key k on k.key = p.key
       where p.model = $1 and p.at >= $2::timestamptz and p.at < $3::timestamptz and (i.id is not null or k.id is not null)`,
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
