import { Budget } from './budget.ts';
import type { InspectionLimits } from './limits.ts';
import type { FunctionOutline, ModelOutline } from './outline.ts';
import { readGraph, readNode } from './read-graph.ts';
import { fields, readMessage, readName, textOf, type Source } from './read-message.ts';
import { malformed, type Span } from './wire-reader.ts';
import { ModelRefusedError } from '../errors.ts';
import { shown } from './names.ts';

const MODEL = fields({
  1: 'ir_version varint',
  2: 'producer_name bytes',
  3: 'producer_version bytes',
  7: 'graph bytes',
  8: 'opset_import bytes*',
  14: 'metadata_props bytes*',
  20: 'training_info bytes*',
  25: 'functions bytes*',
});
const OPSET = fields({ 1: 'domain bytes', 2: 'version varint' });
const ENTRY = fields({ 1: 'key bytes', 2: 'value bytes' });
const FUNCTION = fields({
  1: 'name bytes',
  4: 'input bytes*',
  5: 'output bytes*',
  7: 'node bytes*',
  10: 'domain bytes',
  13: 'overload bytes',
});

/**
 * Reads what a file is made of, in memory that the limits bound, whatever the file holds.
 *
 * @throws ModelRefusedError where the bytes are no ONNX file or hold more than the limits allow
 */
export function readModel(bytes: Uint8Array, limits: InspectionLimits): ModelOutline {
  const source: Source = { bytes, budget: new Budget(limits) };
  const model: Omit<ModelOutline, 'graph'> & { graph: ModelOutline['graph'] | undefined } = {
    irVersion: 0,
    producer: { name: '', version: '' },
    opsets: new Map(),
    graph: undefined,
    functions: [],
    metadata: new Map(),
    hasTraining: false,
  };
  readMessage({ source, span: { start: 0, end: bytes.length }, what: MODEL }, (field, reader) => {
    switch (field) {
      case 'ir_version':
        model.irVersion = Number(reader.int64());
        return true;
      case 'producer_name':
        model.producer.name = readName(reader, source, 'producer');
        return true;
      case 'producer_version':
        model.producer.version = readName(reader, source, "producer's version");
        return true;
      case 'graph':
        model.graph = readGraph(source, reader.span(), 0);
        return true;
      case 'opset_import':
        readOpset(source, reader.span(), model.opsets);
        return true;
      case 'metadata_props':
        readEntry(source, reader.span(), model.metadata);
        return true;
      case 'functions':
        model.functions.push(readFunction(source, reader.span()));
        return true;
      default:
        model.hasTraining = true;
        return false;
    }
  });
  const { graph } = model;
  // Protobuf takes many a file of something else for a message without known fields.
  if (graph === undefined) throw malformed('it has no graph');
  return { ...model, graph };
}

function readOpset(source: Source, span: Span, opsets: ModelOutline['opsets']): void {
  let domain = '';
  let version = 0n;
  readMessage({ source, span, what: OPSET }, (field, reader) => {
    if (field === 'domain') domain = readName(reader, source, 'domain');
    else version = reader.int64();
    return true;
  });
  if (domain === 'ai.onnx') domain = '';
  // skl2onnx says the same thing twice.
  const said = opsets.get(domain);
  if (said !== undefined && said !== version)
    throw new ModelRefusedError(`it names two versions of the operators of ${shown(domain)}`);
  opsets.set(domain, version);
}

function readEntry(source: Source, span: Span, metadata: ModelOutline['metadata']): void {
  let key = '';
  let value = '';
  source.budget.take('metadataBytes', span.end - span.start);
  readMessage({ source, span, what: ENTRY }, (field, reader) => {
    if (field === 'key') key = readName(reader, source, 'metadata');
    else value = textOf(source, reader.span(), 'metadata');
    return true;
  });
  if (metadata.has(key)) throw new ModelRefusedError(`its metadata has ${shown(key)} twice`);
  metadata.set(key, value);
}

function readFunction(source: Source, span: Span): FunctionOutline {
  source.budget.take('functions');
  const made: FunctionOutline = { domain: '', name: '', overload: '', inputs: [], outputs: [], nodes: [] };
  readMessage({ source, span, what: FUNCTION }, (field, reader) => {
    switch (field) {
      case 'node':
        made.nodes.push(readNode(source, reader.span(), 0));
        return true;
      case 'input':
      case 'output':
        source.budget.take('messages');
        made[`${field}s`].push(readName(reader, source, 'tensor'));
        return true;
      default:
        made[field as 'name' | 'domain' | 'overload'] = readName(reader, source, 'function');
        return true;
    }
  });
  return made;
}
