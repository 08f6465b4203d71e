import type { NetworkGraph, NetworkLayer } from '@perennial/onnx';

/** The layers in order, one line each, for a model card. */
export function architecture({ layers }: NetworkGraph): string[] {
  return layers.map((layer) => `${layer.name}: ${described(layer)} ← ${layer.inputs.join(', ')}`);
}

function described(layer: NetworkLayer): string {
  switch (layer.kind) {
    case 'dense':
      return `dense ${layer.kernel.shape.join(' → ')}, ${layer.activation}`;
    case 'embedding':
      return `embedding ${layer.table.shape.join(' × ')}`;
    case 'activation':
      return layer.activation;
    case 'batchNormalization':
      return 'batch normalization';
    case 'layerNormalization':
      return 'layer normalization';
    case 'dropout':
    case 'concatenate':
    case 'add':
    case 'flatten':
      return layer.kind;
  }
}
