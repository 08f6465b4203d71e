import type { GraphOutline, NodeOutline, ValueOutline } from './outline.ts';
import { fields, readMessage, readName, textOf, type Source } from './read-message.ts';
import { readSparse, readTensor } from './read-tensor.ts';
import { BYTES, type Span, type WireReader } from './wire-reader.ts';

const GRAPH = fields({
  1: 'node bytes*',
  5: 'initializer bytes*',
  11: 'input bytes*',
  12: 'output bytes*',
  13: 'value_info bytes*',
  15: 'sparse_initializer bytes*',
});
const NODE = fields({
  1: 'input bytes*',
  2: 'output bytes*',
  3: 'name bytes',
  4: 'op_type bytes',
  5: 'attribute bytes*',
  7: 'domain bytes',
  8: 'overload bytes',
});
const ATTRIBUTE = fields({
  1: 'name bytes',
  5: 't bytes',
  6: 'g bytes',
  8: 'ints varint*',
  9: 'strings bytes*',
  10: 'tensors bytes*',
  11: 'graphs bytes*',
  22: 'sparse_tensor bytes',
  23: 'sparse_tensors bytes*',
});
const VALUE = fields({ 1: 'name bytes', 2: 'type bytes' });
const TYPE = fields({
  1: 'tensor bytes',
  4: 'sequence bytes',
  5: 'map bytes',
  7: 'opaque bytes',
  8: 'sparse bytes',
  9: 'optional bytes',
});
const TENSOR_TYPE = fields({ 1: 'elem_type varint', 2: 'shape bytes' });
const SHAPE = fields({ 1: 'dim bytes*' });
const DIMENSION = fields({ 1: 'dim_value varint', 2: 'dim_param bytes' });

/** Classes that are kept of one classifier. */
const CLASSES_KEPT = 10_000;

export function readGraph(source: Source, span: Span, depth: number): GraphOutline {
  const graph: GraphOutline = { nodes: [], initializers: [], sparse: [], inputs: [], outputs: [] };
  readMessage({ source, span, what: GRAPH }, (field, reader) => {
    const inside = reader.span();
    if (field === 'node') graph.nodes.push(readNode(source, inside, depth));
    else if (field === 'initializer') graph.initializers.push(readTensor(source, inside));
    else if (field === 'sparse_initializer') graph.sparse.push(readSparse(source, inside));
    else if (field === 'input') graph.inputs.push(readValue(source, inside, 'input'));
    else if (field === 'output') graph.outputs.push(readValue(source, inside, 'output'));
    else readValue(source, inside, 'tensor');
    return true;
  });
  return graph;
}

export function readNode(source: Source, span: Span, depth: number): NodeOutline {
  source.budget.take('nodes');
  const node: NodeOutline = {
    name: '',
    domain: '',
    operator: '',
    overload: '',
    inputs: [],
    outputs: [],
    graphs: [],
    tensors: [],
    sparse: [],
    classes: [],
  };
  readMessage({ source, span, what: NODE }, (field, reader) => {
    if (field === 'attribute') readAttribute({ source, span: reader.span(), depth }, node);
    else if (field === 'input') node.inputs.push(readEdge(reader, source));
    else if (field === 'output') node.outputs.push(readEdge(reader, source));
    else
      node[field === 'op_type' ? 'operator' : (field as 'name')] = readName(
        reader,
        source,
        WORDS[field] ?? 'node',
      );
    return true;
  });
  return node;
}

const WORDS: Record<string, string> = { op_type: 'operator', domain: 'domain', overload: 'overload' };

/** An input or output of a node is a text and no message, but takes memory as one does. */
function readEdge(reader: WireReader, source: Source): string {
  source.budget.take('messages');
  return readName(reader, source, 'tensor');
}

interface Place {
  source: Source;
  span: Span;
  depth: number;
}

function readAttribute({ source, span, depth }: Place, node: NodeOutline): void {
  // Attributes are in any order: whether texts are classes is known when the name is.
  const texts: Span[] = [];
  let name = '';
  readMessage({ source, span, what: ATTRIBUTE }, (field, reader) => {
    switch (field) {
      case 'name':
        name = readName(reader, source, 'attribute');
        return true;
      case 't':
      case 'tensors':
        node.tensors.push(readTensor(source, reader.span()));
        return true;
      case 'sparse_tensor':
      case 'sparse_tensors':
        node.sparse.push(readSparse(source, reader.span()));
        return true;
      case 'g':
      case 'graphs':
        node.graphs.push(readGraph(source, reader.span(), source.budget.descend(depth)));
        return true;
      case 'strings':
        keep(texts, reader.span());
        return true;
      default:
        return false;
    }
  });
  if (name.startsWith('classlabels_')) node.classes.push(...classesOf({ source, span, depth }, texts));
}

function keep(texts: Span[], span: Span): void {
  if (texts.length <= CLASSES_KEPT) texts.push(span);
}

function classesOf({ source, span }: Place, texts: readonly Span[]): string[] {
  if (texts.length > 0) return texts.map((text) => textOf(source, text, 'class'));
  const classes: string[] = [];
  readMessage({ source, span, what: ATTRIBUTE }, (field, reader) => {
    if (field !== 'ints' || classes.length > CLASSES_KEPT) return false;
    if (reader.wire !== BYTES) classes.push(String(reader.int64()));
    else reader.skip();
    return true;
  });
  return classes;
}

export function readValue(source: Source, span: Span, what: string): ValueOutline {
  const value: ValueOutline = { name: '', type: { kind: 'unknown' } };
  readMessage({ source, span, what: VALUE }, (field, reader) => {
    if (field === 'name') value.name = readName(reader, source, what);
    else value.type = readType(source, reader.span());
    return true;
  });
  return value;
}

function readType(source: Source, span: Span): ValueOutline['type'] {
  let type: ValueOutline['type'] = { kind: 'unknown' };
  readMessage({ source, span, what: TYPE }, (field, reader) => {
    const inside = reader.span();
    if (field === 'tensor') type = readTensorType(source, inside);
    else if (field === 'sparse') type = { kind: 'sparse tensor' };
    else type = { kind: field as 'sequence' | 'map' | 'opaque' | 'optional' };
    return true;
  });
  return type;
}

function readTensorType(source: Source, span: Span): ValueOutline['type'] {
  let element = 0;
  let dims: (bigint | null)[] | null = null;
  readMessage({ source, span, what: TENSOR_TYPE }, (field, reader) => {
    if (field === 'elem_type') element = Number(reader.int64());
    else dims = readShape(source, reader.span());
    return true;
  });
  return { kind: 'tensor', element, dims };
}

function readShape(source: Source, span: Span): (bigint | null)[] {
  const dims: (bigint | null)[] = [];
  readMessage({ source, span, what: SHAPE }, (_field, reader) => {
    let size: bigint | null = null;
    readMessage({ source, span: reader.span(), what: DIMENSION }, (field, inside) => {
      if (field === 'dim_value') size = inside.int64();
      else readName(inside, source, 'dimension');
      return true;
    });
    dims.push(size);
    return true;
  });
  return dims;
}
