import { ModelRefusedError } from '../errors.ts';
import {
  TensorProto_DataLocation,
  type GraphProto,
  type ModelProto,
  type NodeProto,
  type TensorProto,
} from '../generated/onnx-ml_pb.ts';
import { ADOPTED_PREFIX } from '../tensor-names.ts';

/**
 * Refuses a model that keeps tensors in other files: an artifact is one file under one digest, and a path in a model reads whatever file of
 * the machine it names (CVE-2024-27318). It also refuses names that the platform is about to use.
 *
 * @throws ModelRefusedError naming the tensor or the name
 */
export function refuseOutside(model: ModelProto): void {
  if (model.graph !== undefined) checkGraph(model.graph);
  for (const { node } of model.functions) node.forEach(checkNode);
}

function checkGraph(graph: GraphProto): void {
  graph.initializer.forEach(checkTensor);
  for (const { values, indices } of graph.sparseInitializer) {
    if (values !== undefined) checkTensor(values);
    if (indices !== undefined) checkTensor(indices);
  }
  graph.node.forEach(checkNode);
  for (const { name } of graph.input) checkName(name);
}

function checkNode({ output, attribute }: NodeProto): void {
  output.forEach(checkName);
  for (const { t, tensors, g, graphs, sparseTensor, sparseTensors } of attribute) {
    for (const tensor of [t, ...tensors]) if (tensor !== undefined) checkTensor(tensor);
    for (const graph of [g, ...graphs]) if (graph !== undefined) checkGraph(graph);
    for (const sparse of [sparseTensor, ...sparseTensors]) {
      for (const tensor of [sparse?.values, sparse?.indices]) if (tensor !== undefined) checkTensor(tensor);
    }
  }
}

function checkTensor({ name, dataLocation, externalData }: TensorProto): void {
  checkName(name);
  if (dataLocation !== TensorProto_DataLocation.EXTERNAL && externalData.length === 0) return;
  throw new ModelRefusedError(
    `its tensor '${name}' lies in another file; save the model as one file, without external data`,
  );
}

function checkName(name: string): void {
  if (!name.startsWith(ADOPTED_PREFIX)) return;
  throw new ModelRefusedError(
    `it uses the name '${name}'; names that begin with '${ADOPTED_PREFIX}' are taken`,
  );
}
