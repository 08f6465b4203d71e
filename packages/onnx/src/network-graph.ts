import type { EncodedTensors } from './encoder-graph.ts';
import { ArtifactInvalidError, UnsupportedLayerError } from './errors.ts';
import { RESERVED_PREFIX, type GraphBuilder } from './graph-builder.ts';
import { writeLayer, type LayerValue } from './layers.ts';
import type { NetworkGraph, NetworkInput } from './network.ts';

/**
 * Writes a network's layers behind an encoder's nodes; gives its output, `[rows, width]`.
 *
 * @throws UnsupportedLayerError naming the layer.
 * @throws ArtifactInvalidError where inputs do not fit the encoder, or names do not fit each other.
 */
export function writeNetworkNodes(
  graph: GraphBuilder,
  network: NetworkGraph,
  encoded: EncodedTensors,
): { tensor: string; width: number } {
  const values = new Map<string, LayerValue>();
  const define = (name: string, value: LayerValue) => {
    if (values.has(name)) throw new ArtifactInvalidError(`the network has two layers named '${name}'`);
    values.set(name, value);
  };
  for (const input of network.inputs) define(input.name, inputValue(input, encoded));
  for (const layer of network.layers) {
    if (layer.name === '' || layer.name.startsWith(RESERVED_PREFIX)) {
      throw new UnsupportedLayerError(layer.name, `a name may not be empty or begin with ${RESERVED_PREFIX}`);
    }
    const inputs = layer.inputs.map((name) => valueOf(values, name, `the layer '${layer.name}'`));
    define(layer.name, writeLayer(graph, layer, inputs));
  }
  const output = valueOf(values, network.output, "the network's output");
  if (output.rank !== 2) throw new UnsupportedLayerError(network.output, 'an output must be [rows, width]');
  return output;
}

function valueOf(values: ReadonlyMap<string, LayerValue>, name: string, reader: string): LayerValue {
  const value = values.get(name);
  if (value === undefined)
    throw new ArtifactInvalidError(`${reader} reads '${name}', which is not before it`);
  return value;
}

function inputValue(input: NetworkInput, encoded: EncodedTensors): LayerValue {
  if (input.kind === 'indices') {
    const indices = encoded.indices.get(input.name);
    if (indices === undefined) {
      throw new ArtifactInvalidError(
        `the network reads the indices of '${input.name}', which is no embedding feature of the encoder`,
      );
    }
    return { kind: 'indices', tensor: indices.tensor, rank: 2, width: 1, size: indices.size };
  }
  if (encoded.dense?.width !== input.width) {
    throw new ArtifactInvalidError(
      `the network reads ${input.width} dense columns where the encoder has ${encoded.dense?.width ?? 0}`,
    );
  }
  return { kind: 'float', tensor: encoded.dense.tensor, rank: 2, width: input.width };
}
