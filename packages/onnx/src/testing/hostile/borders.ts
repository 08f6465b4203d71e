import { create } from '@bufbuild/protobuf';
import { StringStringEntryProtoSchema } from '../../generated/onnx-ml_pb.ts';
import { value } from '../foreign-models.ts';
import { goodFile } from './good-file.ts';
import { atSight, type HostileFile } from './hostile-file.ts';

/** Inputs, outputs and metadata that no model has. */
export function hostileBorders(): HostileFile[] {
  const entry = (key: string, text: string) => create(StringStringEntryProtoSchema, { key, value: text });
  return atSight({
    'no inputs': [
      () => goodFile((_model, graph) => (graph.input = graph.input.slice(1))),
      /uses the tensor 'X'|has no inputs/,
    ],
    'no outputs': [() => goodFile((_model, graph) => (graph.output = [])), /it has no outputs/],
    'two inputs of one name': [
      () => goodFile((_model, graph) => graph.input.push(...graph.input)),
      /two of its inputs have the name 'X'/,
    ],
    'three thousand inputs': [
      () =>
        goodFile((_model, graph) =>
          graph.input.push(...Array.from({ length: 3_000 }, (_, i) => value(`x${i}`, 'float32', [null, 1]))),
        ),
      /it has 3001 inputs; at most 2000/,
    ],
    'an input without a name': [
      () => goodFile((_model, graph) => graph.input.push(value('', 'float32', [null, 1]))),
      /one of its inputs has no name/,
    ],
    'metadata of five megabytes': [
      () => goodFile((model) => model.metadataProps.push(entry('notes', 'x'.repeat(5 * 1024 ** 2)))),
      /more than 4194304 bytes of metadata/,
    ],
    'metadata that says a thing twice': [
      () =>
        goodFile((model) =>
          model.metadataProps.push(entry('perennial.kind', 'a'), entry('perennial.kind', 'b')),
        ),
      /its metadata has 'perennial.kind' twice/,
    ],
  });
}
