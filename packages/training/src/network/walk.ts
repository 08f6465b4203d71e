import type { LayersModel, SymbolicTensor, layers } from '@tensorflow/tfjs-layers';

/** One use of a layer in a network. */
export interface LayerUse {
  /** Unique within the network: the layer's name, with a number from its second use on. */
  name: string;
  layer: layers.Layer;
  /** What it reads: names of other uses or of the network's inputs. */
  inputs: string[];
  /** Of each thing that it reads, the shape with the rows' dimension `null`. */
  inputShapes: (number | null)[][];
}

/** A network as a list: each use of a layer after those that it reads. Only what leads to the output is in it. */
export interface NetworkWalk {
  uses: LayerUse[];
  output: string;
}

/** Follows a network from its output back to its inputs; those are named by `nameOfInput`. */
export function walkNetwork(
  model: LayersModel,
  nameOfInput: (tensor: SymbolicTensor) => string,
): NetworkWalk {
  const names = new Map<string, string>();
  const uses: LayerUse[] = [];
  const visit = (tensor: SymbolicTensor): string => {
    const { sourceLayer: layer, nodeIndex } = tensor;
    const key = `${layer.name} ${nodeIndex}`;
    const known = names.get(key);
    if (known !== undefined) return known;
    if (layer.getClassName() === 'InputLayer') return nameOfInput(tensor);
    const read = layer.inboundNodes[nodeIndex]!.inputTensors;
    const inputs = read.map(visit);
    const earlier = uses.filter((use) => use.layer === layer).length;
    const name = earlier === 0 ? layer.name : `${layer.name}_${earlier + 1}`;
    names.set(key, name);
    uses.push({ name, layer, inputs, inputShapes: read.map(({ shape }) => shape) });
    return name;
  };
  const output = visit(model.outputs[0]!);
  return { uses, output };
}
