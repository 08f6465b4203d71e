import type { Signature } from '@perennial/contract';
import type { OutputBatch } from '@perennial/onnx';
import type { PlainColumn } from '../parquet/plain-pages.ts';

/** What a model answered for the rows of a chunk, in their order: 5 bytes a row of a binary label. Classes are kept in an `OutputTable`. */
export class AnswerMemory {
  readonly #columns: PlainColumn[];
  #rows = 0;

  private constructor(columns: PlainColumn[]) {
    this.#columns = columns;
  }

  /** Undefined for answers that are no plain numbers. */
  static of({ kind }: Signature['output'], rows: number): AnswerMemory | undefined {
    switch (kind) {
      case 'binary':
        return new AnswerMemory([
          { name: 'probability', values: new Float32Array(rows) },
          { name: 'decision', values: new Uint8Array(rows) },
        ]);
      case 'regression':
        return new AnswerMemory([{ name: 'value', values: new Float32Array(rows) }]);
      case 'multiclass':
        return undefined;
    }
  }

  get columns(): readonly PlainColumn[] {
    return this.#columns;
  }

  /** @throws RangeError for more rows than there is room for */
  append(output: OutputBatch): void {
    const parts = partsOf(output);
    this.#columns.forEach(({ values }, index) => values.set(parts[index] ?? [], this.#rows));
    this.#rows += parts[0]?.length ?? 0;
  }
}

function partsOf(output: OutputBatch): (Float32Array | Uint8Array)[] {
  switch (output.kind) {
    case 'binary':
      return [output.probability, output.decision];
    case 'regression':
      return [output.value];
    case 'multiclass':
      return [];
  }
}
