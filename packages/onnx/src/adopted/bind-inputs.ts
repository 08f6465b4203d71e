import { MISSING_TIMESTAMP, type InputColumn } from '@perennial/contract';
import { COLUMN_TENSORS } from '../encoder-inputs.ts';
import { ModelRefusedError } from '../errors.ts';
import type { BorderType, GraphBuilder } from '../graph-builder.ts';
import { ADOPTED_NAMES } from '../tensor-names.ts';
import type { ModelInput } from './border.ts';

/** The numbers that stand for a missing one in an int64, which has no NaN. */
const MISSING_INTEGER = Number(MISSING_TIMESTAMP);

/** Which columns a model's inputs are fed from. */
export type InputBinding =
  | { kind: 'by name'; pairs: { input: ModelInput; column: InputColumn }[] }
  | { kind: 'matrix'; input: ModelInput; columns: InputColumn[] };

/**
 * Matches a model's inputs with the pipeline's columns: each input with the column of its name, or one matrix with the columns of type
 * number and boolean, in the order in which they are given.
 *
 * @throws ModelRefusedError naming the input that fits no column, and the columns there are
 */
export function bindInputs(inputs: readonly ModelInput[], columns: readonly InputColumn[]): InputBinding {
  const [first] = inputs;
  if (first === undefined) throw new ModelRefusedError('it has no inputs');
  const named = inputs.map((input) => ({ input, column: columns.find(({ name }) => name === input.name) }));
  if (inputs.length === 1 && (named[0]?.column === undefined || widthOf(first) > 1))
    return bindMatrix(first, columns);
  const pairs = named.map(({ input, column }) => {
    if (column === undefined) {
      throw new ModelRefusedError(
        `its input '${input.name}' is none of the columns, which are ${listed(columns)}`,
      );
    }
    if (widthOf(input) > 1) {
      throw new ModelRefusedError(
        `its input '${input.name}' is ${widthOf(input)} wide; that of a column must be [N] or [N, 1]`,
      );
    }
    refuseType(input, column);
    return { input, column };
  });
  return { kind: 'by name', pairs };
}

function bindMatrix(input: ModelInput, columns: readonly InputColumn[]): InputBinding {
  const numeric = columns.filter(({ type }) => type === 'number' || type === 'boolean');
  const width = input.shape === 'vector' ? 0 : input.shape.width;
  if (input.type !== 'float32' && input.type !== 'float64') {
    throw new ModelRefusedError(
      `its only input '${input.name}' is ${input.type} and named as no column; it must be a matrix of floats, or have the name of a column (${listed(columns)})`,
    );
  }
  if (numeric.length === 0 || (width !== null && width !== numeric.length)) {
    const found = width === 0 ? '[N]' : `[N, ${width ?? 'k'}]`;
    throw new ModelRefusedError(
      `its only input '${input.name}' is ${found}, but there are ${numeric.length} columns of numbers (${listed(numeric)})`,
    );
  }
  return { kind: 'matrix', input, columns: numeric };
}

function widthOf({ shape }: ModelInput): number {
  return shape === 'vector' ? 1 : (shape.width ?? 1);
}

/** Tensor types that a column can be given as. */
const GIVEN_AS: Record<InputColumn['type'], readonly BorderType[]> = {
  number: ['float32', 'float64', 'int64', 'bool'],
  boolean: ['float32', 'float64', 'int64', 'bool'],
  timestamp: ['int64', 'float64', 'float32'],
  text: ['string'],
};

function refuseType(input: ModelInput, column: InputColumn): void {
  const allowed = GIVEN_AS[column.type];
  if (allowed.includes(input.type)) return;
  throw new ModelRefusedError(
    `its input '${input.name}' is ${input.type}, but a ${column.type} column is given as ${allowed.join(', ')}`,
  );
}

/** The columns that a binding reads, in the order given. */
export function boundColumns(binding: InputBinding, columns: readonly InputColumn[]): InputColumn[] {
  if (binding.kind === 'matrix') return binding.columns;
  return columns.filter(({ name }) => binding.pairs.some(({ column }) => column.name === name));
}

/** Declares the columns as the graph's inputs and writes the nodes that make the model's own inputs of them. */
export function writeInputs(graph: GraphBuilder, binding: InputBinding): void {
  const border = ({ name, type }: InputColumn): string =>
    graph.input(ADOPTED_NAMES.column(name), COLUMN_TENSORS[type]);
  if (binding.kind === 'matrix') {
    const { input, columns } = binding;
    const matrix = graph.node('Concat', columns.map(border), { attributes: { axis: { int: 1 } } });
    graph.node('Identity', [castTo(graph, matrix, { from: 'float64', to: input.type })], {
      output: input.name,
    });
    return;
  }
  for (const { input, column } of binding.pairs) {
    const value = converted(graph, border(column), { column, to: input.type });
    const shaped =
      input.shape === 'vector'
        ? graph.node('Reshape', [value, graph.constant(BigInt64Array.of(-1n), [1])])
        : value;
    graph.node('Identity', [shaped], { output: input.name });
  }
}

/** A column's tensor as the model's type, with the missing value that the type has: NaN, the smallest int64, false, the empty text. */
function converted(
  graph: GraphBuilder,
  tensor: string,
  { column, to }: { column: InputColumn; to: BorderType },
): string {
  const from = COLUMN_TENSORS[column.type];
  if (from === to) return tensor;
  if (from === 'int64') {
    const missing = graph.node('Equal', [tensor, graph.scalar(MISSING_TIMESTAMP)]);
    const number = graph.cast(tensor, 'float64');
    return castTo(graph, graph.node('Where', [missing, graph.scalar(NaN), number]), { from: 'float64', to });
  }
  if (to === 'float32') return graph.cast(tensor, to);
  // A cast of NaN to a whole number is left open by the standard, and to a bool it is true.
  const missing = graph.node('IsNaN', [tensor]);
  const filler = graph.scalar(to === 'int64' ? MISSING_INTEGER : 0);
  return graph.cast(graph.node('Where', [missing, filler, tensor]), to);
}

function castTo(
  graph: GraphBuilder,
  tensor: string,
  { from, to }: { from: BorderType; to: BorderType },
): string {
  return from === to ? tensor : graph.cast(tensor, to);
}

function listed(columns: readonly InputColumn[]): string {
  return columns.map(({ name, type }) => `${name} (${type})`).join(', ') || 'none';
}
