import duckdb from '@duckdb/node-bindings';
import {
  ARRAY,
  BOOLEAN,
  DuckDBDataChunk,
  FLOAT,
  USMALLINT,
  type DuckDBAppender,
  type DuckDBType,
} from '@duckdb/node-api';
import type { Signature } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import { rethrowQueryError, type Connection } from '../engine.ts';
import { literals } from '../sql.ts';

const TABLE = 'outputs';

/** What a data chunk of DuckDB holds. */
const CHUNK_ROWS = 2_048;

/** A column of the table: its values in memory, as many elements a row as it is wide. */
interface Part {
  values: Float32Array | Uint8Array | Uint16Array;
  width: number;
}

/** What a model answered for the rows of a chunk, in their order, in a table of DuckDB: 5 bytes a row of a binary label. */
export class OutputTable {
  readonly #appender: DuckDBAppender;
  readonly #chunk: DuckDBDataChunk;
  readonly #classes: ReadonlyMap<string, number>;

  private constructor(appender: DuckDBAppender, types: DuckDBType[], classes: readonly string[]) {
    this.#appender = appender;
    this.#chunk = DuckDBDataChunk.create(types, CHUNK_ROWS);
    this.#classes = new Map(classes.map((name, index) => [name, index]));
  }

  static async open(connection: Connection, output: Signature['output']): Promise<OutputTable> {
    const classes = output.kind === 'multiclass' ? output.classes : [];
    const columns = columnsOf(output);
    const definitions = columns.map(({ name, type }) => `${name} ${type.toString()}`);
    await connection.run(`CREATE TABLE ${TABLE} (${definitions.join(', ')})`);
    const types = columns.map(({ type }) => type);
    return new OutputTable(await connection.openAppender(TABLE), types, classes);
  }

  append(output: OutputBatch): void {
    const parts = this.#partsOf(output);
    const [first] = parts;
    const rows = first === undefined ? 0 : first.values.length / first.width;
    try {
      for (let start = 0; start < rows; start += CHUNK_ROWS)
        this.#appendChunk(parts, start, Math.min(CHUNK_ROWS, rows - start));
    } catch (error) {
      rethrowQueryError(error);
    }
  }

  /** No more comes. */
  close(): void {
    try {
      this.#appender.closeSync();
    } catch (error) {
      rethrowQueryError(error);
    }
  }

  /** The rows as a table expression, with the columns that the output file has. */
  static rows(output: Signature['output']): string {
    switch (output.kind) {
      case 'binary':
      case 'regression':
        return TABLE;
      case 'multiclass':
        return `(SELECT probabilities, [${literals(output.classes)}][decision + 1] AS decision FROM ${TABLE})`;
    }
  }

  #partsOf(output: OutputBatch): Part[] {
    switch (output.kind) {
      case 'binary':
        return [
          { values: output.probability, width: 1 },
          { values: output.decision, width: 1 },
        ];
      case 'multiclass': {
        const decisions = Uint16Array.from(output.decision, (name) => this.#classes.get(name) ?? 0);
        return [
          { values: output.probabilities, width: output.classes.length },
          { values: decisions, width: 1 },
        ];
      }
      case 'regression':
        return [{ values: output.value, width: 1 }];
    }
  }

  #appendChunk(parts: readonly Part[], start: number, count: number): void {
    const { chunk } = this.#chunk;
    this.#chunk.rowCount = count;
    parts.forEach(({ values, width }, index) => {
      const vector = duckdb.data_chunk_get_vector(chunk, index);
      const target = width === 1 ? vector : duckdb.array_vector_get_child(vector);
      const size = width * values.BYTES_PER_ELEMENT;
      const offset = values.byteOffset + start * size;
      duckdb.copy_data_to_vector(target, 0, values.buffer as ArrayBuffer, offset, count * size);
    });
    this.#appender.appendDataChunk(this.#chunk);
  }
}

function columnsOf(output: Signature['output']): { name: string; type: DuckDBType }[] {
  switch (output.kind) {
    case 'binary':
      return [
        { name: 'probability', type: FLOAT },
        { name: 'decision', type: BOOLEAN },
      ];
    case 'multiclass':
      return [
        { name: 'probabilities', type: ARRAY(FLOAT, output.classes.length) },
        { name: 'decision', type: USMALLINT },
      ];
    case 'regression':
      return [{ name: 'value', type: FLOAT }];
  }
}
