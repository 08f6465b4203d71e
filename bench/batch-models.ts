import { writeFile } from 'node:fs/promises';
import { DuckDBInstance } from '@duckdb/node-api';
import type { EncoderSpec } from '@perennial/contract';
import { encoderLayout, writeArtifact, type NetworkGraph, type NetworkLayer } from '@perennial/onnx';

/** Weights of no meaning, the same every time. */
function weights(shape: number[]) {
  const length = shape.reduce((product, extent) => product * extent, 1);
  let state = length;
  const next = () => ((state = (Math.imul(state, 1_664_525) + 1_013_904_223) >>> 0) / 2 ** 32 - 0.5) * 0.7;
  return { shape, data: Float32Array.from({ length }, next) };
}

function network(encoder: EncoderSpec, hidden: number[]): NetworkGraph {
  const { denseWidth, embeddings } = encoderLayout(encoder);
  const layers: NetworkLayer[] = embeddings.flatMap(({ feature, size, dimension }) => [
    { name: `table_${feature}`, inputs: [feature], kind: 'embedding', table: weights([size, dimension]) },
    { name: `flat_${feature}`, inputs: [`table_${feature}`], kind: 'flatten' },
  ]);
  let width = embeddings.reduce((sum, { dimension }) => sum + dimension, denseWidth);
  const joined = ['dense', ...embeddings.map(({ feature }) => `flat_${feature}`)];
  if (joined.length > 1) layers.push({ name: 'joined', inputs: joined, kind: 'concatenate' });
  let last = joined.length > 1 ? 'joined' : 'dense';
  for (const [index, units] of [...hidden, 1].entries()) {
    const activation = index === hidden.length ? 'sigmoid' : 'relu';
    const shape = { kernel: weights([width, units]), bias: weights([units]) };
    layers.push({ name: `dense_${index}`, inputs: [last], kind: 'dense', ...shape, activation });
    last = `dense_${index}`;
    width = units;
  }
  const inputs = embeddings.map(({ feature }) => ({ name: feature, kind: 'indices' as const, width: 1 }));
  return { inputs: [{ name: 'dense', kind: 'dense', width: denseWidth }, ...inputs], layers, output: last };
}

async function write(file: string, encoder: EncoderSpec, hidden: number[]): Promise<void> {
  const label = { kind: 'binary' as const, name: 'late', threshold: 0.5 };
  await writeFile(file, writeArtifact({ encoder, network: network(encoder, hidden), label, properties: {} }));
}

const numeric = (name: string, log: boolean) => ({
  ...{ kind: 'numeric' as const, name, column: name, impute: 0, missingIndicator: false },
  ...{ clip: {}, log, center: log ? 6 : 0, scale: 1 },
});

/** The network of `pipelines/flight-delay`, its vocabularies those of the file. */
export async function writeFlightModel(file: string, flights: string): Promise<void> {
  const vocabulary = (column: string) =>
    texts(
      `SELECT ${column} AS text FROM read_parquet('${flights}') GROUP BY 1 HAVING count(*) >= 50 ORDER BY count(*) DESC, 1`,
    );
  const [origin, destination] = [await vocabulary('origin'), await vocabulary('destination')];
  const encoding = { kind: 'embedding' as const, dimension: 8 };
  const columns = [
    { column: 'origin', vocabulary: origin },
    { column: 'destination', vocabulary: destination },
  ];
  await write(
    file,
    {
      columns: [
        { name: 'date', type: 'timestamp' },
        { name: 'destination', type: 'text' },
        { name: 'distance', type: 'number' },
        { name: 'origin', type: 'text' },
      ],
      features: [
        numeric('distance', true),
        {
          kind: 'timestamp',
          name: 'date',
          column: 'date',
          parts: ['minuteOfDay', 'dayOfWeek'],
          cyclic: true,
        },
        ...columns.map(({ column, vocabulary: entries }) => ({
          ...{ kind: 'categorical' as const, name: column, column, vocabulary: entries, encoding },
        })),
        { kind: 'crossed', name: 'route', columns, buckets: 4_096, encoding },
      ],
    },
    [64, 32],
  );
}

const NUMBERS = Array.from({ length: 20 }, (_, i) => `x${i}`);

/** 20 numbers, network [32, 16]. */
export async function writeNumbersModel(file: string): Promise<void> {
  const columns = NUMBERS.map((name) => ({ name, type: 'number' as const }));
  await write(file, { columns, features: NUMBERS.map((name) => numeric(name, false)) }, [32, 16]);
}

/** 2 million rows of 20 numbers. */
export async function writeNumbers(file: string): Promise<void> {
  const columns = NUMBERS.map((name, i) => `(hash(i * 31 + ${i}) % 1000000) / 500000.0 - 1.0 AS ${name}`);
  await query(
    `COPY (SELECT i AS id, ${columns.join(', ')} FROM range(2000000) AS t(i)) TO '${file}' (FORMAT parquet, COMPRESSION zstd, COMPRESSION_LEVEL 1)`,
  );
}

/** How far the answers of two files are apart, row by row: the most, and how many decisions differ where the probability is not at the threshold. */
export async function compareOutputs(
  a: string,
  b: string,
  keys: string[],
): Promise<{ rows: number; most: number; others: number }> {
  const differing = keys.map((key) => `a."${key}" IS DISTINCT FROM b."${key}"`).join(' OR ');
  const [row] = await query(
    `SELECT count(*) AS rows, max(abs(a.probability - b.probability)) AS most,
       count(*) FILTER (${differing} OR (a.decision <> b.decision AND abs(a.probability - 0.5) > 1e-5)) AS others
     FROM read_parquet('${a}') AS a POSITIONAL JOIN read_parquet('${b}') AS b`,
  );
  return { rows: Number(row?.['rows']), most: Number(row?.['most']), others: Number(row?.['others']) };
}

/** Rows of each row group of a Parquet file. */
export async function groupsOf(file: string): Promise<number[]> {
  const rows = await query(
    `SELECT any_value(row_group_num_rows) AS rows FROM parquet_metadata('${file}') GROUP BY row_group_id ORDER BY row_group_id`,
  );
  return rows.map((group) => Number(group['rows']));
}

async function texts(sql: string): Promise<string[]> {
  return (await query(sql)).map(({ text }) => String(text));
}

export async function query(sql: string): Promise<Record<string, unknown>[]> {
  const instance = await DuckDBInstance.create(':memory:');
  const connection = await instance.connect();
  try {
    return (await connection.runAndReadAll(sql)).getRowObjectsJS();
  } finally {
    connection.closeSync();
    instance.closeSync();
  }
}
