import { clone } from '@bufbuild/protobuf';
import { TensorProtoSchema, type GraphProto, type TensorProto } from '../generated/onnx-ml_pb.ts';
import { RESERVED_PREFIX } from '../graph-builder.ts';

/** The constants of a graph by name, and reshaped copies of them. */
export class Constants {
  readonly #graph: GraphProto;
  readonly #tensors: ReadonlyMap<string, TensorProto>;
  readonly #made = new Set<string>();

  constructor(graph: GraphProto) {
    this.#graph = graph;
    // One that is an input too is only what that input is when nothing is given.
    const inputs = new Set(graph.input.map(({ name }) => name));
    const own = graph.initializer.filter(({ name }) => !inputs.has(name));
    this.#tensors = new Map(own.map((tensor) => [tensor.name, tensor]));
  }

  get names(): Iterable<string> {
    return this.#tensors.keys();
  }

  /** Undefined where the name is no constant's. */
  shape(name: string): number[] | undefined {
    return this.#tensors.get(name)?.dims.map(Number);
  }

  /** The name of the same values in another shape. */
  reshaped(name: string, shape: readonly number[]): string {
    const tensor = this.#tensors.get(name);
    const made = `${RESERVED_PREFIX}${shape.join('x')}/${name}`;
    if (tensor === undefined || this.#made.has(made)) return made;
    const copy = clone(TensorProtoSchema, tensor);
    copy.name = made;
    copy.dims = shape.map(BigInt);
    this.#graph.initializer.push(copy);
    this.#made.add(made);
    return made;
  }
}

export const sizeOf = (shape: readonly number[]): number =>
  shape.reduce((product, extent) => product * extent, 1);
