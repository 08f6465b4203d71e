import { INSPECTION_LIMITS } from '../../inspection/limits.ts';
import { goodFile } from './good-file.ts';
import { atSight, type HostileFile } from './hostile-file.ts';

/** Bytes that are no sound protobuf message, or one that two parsers would take for two different ones. */
export function hostileWire(): HostileFile[] {
  const behind = (bytes: readonly number[]) => () => Buffer.concat([goodFile(), Uint8Array.from(bytes)]);
  return atSight({
    'a file that was cut off': [
      () => goodFile().slice(0, -20),
      /cut off or damaged \(a length reaches beyond/,
    ],
    'a length beyond the file': [behind([0x7a, 0xff, 0xff, 0xff, 0xff, 0x07]), /a length reaches beyond/],
    'a length of 2^63': [behind([0x7a, ...Array<number>(9).fill(0xff), 0x01]), /a length reaches beyond/],
    'a number without an end': [behind([0x78, ...Array<number>(11).fill(0x80)]), /a number does not end/],
    'a group': [behind([0x0b, 0x0c]), /wire type 3/],
    'a field without a number': [behind([0x02, 0x00]), /the number 0/],
    'a graph of the wrong type': [behind([0x38, 0x01]), /graph is of the wrong type/],
    'two graphs, of which parsers would make one': [
      () => Buffer.concat([goodFile(), goodFile()]),
      /says (ir_version|graph|producer_name) twice/,
    ],
    'a second graph behind the metadata': [behind([0x3a, 0x00]), /says graph twice/],
    'no graph': [() => Uint8Array.of(0x08, 0x08), /it has no graph/],
    zeros: [() => new Uint8Array(1_000), /the number 0/],
    // Two bytes each here, and some hundred bytes each in whoever makes objects of them.
    'three million empty tensors': [
      () => inGraph(repeated([0x6a, 0x00], 3_000_000)),
      /more than 1000000 parts/,
    ],
    'a hundred thousand nodes and one': [
      () => inGraph(repeated([0x0a, 0x00], 100_001)),
      /more than 100000 nodes/,
    ],
    'a hundred thousand weights and one': [
      () => inGraph(repeated([0x2a, 0x00], 100_001)),
      /more than 100000 tensors/,
    ],
    'more functions than anyone writes': [
      () => repeated([0xca, 0x01, 0x00], 1_001),
      /more than 1000 functions/,
    ],
    'a file above the limit': [
      () => new Uint8Array(INSPECTION_LIMITS.bytes + 1),
      /it has 134217729 bytes; at most 134217728/,
    ],
  });
}

function repeated(bytes: readonly number[], times: number): Uint8Array {
  const all = new Uint8Array(bytes.length * times);
  for (let i = 0; i < times; i += 1) all.set(bytes, i * bytes.length);
  return all;
}

/** A file whose graph holds these bytes. */
function inGraph(bytes: Uint8Array): Uint8Array {
  const length: number[] = [];
  for (let left = bytes.length; ; left = Math.floor(left / 128)) {
    length.push(left < 128 ? left : (left % 128) + 128);
    if (left < 128) break;
  }
  return Buffer.concat([Uint8Array.of(0x3a, ...length), bytes]);
}
