/** What a file from elsewhere may hold before it is looked at any closer. */
export interface InspectionLimits {
  /** Bytes of the file. */
  bytes: number;
  /** Bytes that one tensor may declare, whatever the file holds of them. */
  tensorBytes: number;
  /** Dimensions of one tensor. */
  rank: number;
  /** Nodes, with those of subgraphs and of functions, these as often as they are called. */
  nodes: number;
  /** Tensors, with those in attributes. */
  tensors: number;
  /** Messages of the protobuf, empty ones included: what bounds the memory that reading the file takes. */
  messages: number;
  /** Inputs of the model, and outputs. */
  border: number;
  /** How deep `If`, `Loop` and `Scan` may hold graphs in each other. */
  nesting: number;
  /** Nodes that may have to run one after the other. */
  chain: number;
  functions: number;
  /** UTF-8 bytes of one name. */
  nameBytes: number;
  /** UTF-8 bytes of all names. */
  namesBytes: number;
  /** UTF-8 bytes of the model's metadata. */
  metadataBytes: number;
}

/**
 * Far above what tabular models have: a boosted ensemble is one node, a transformer of twelve layers 2,000. A file at every limit takes some
 * 200 MB to outline.
 */
export const INSPECTION_LIMITS: InspectionLimits = {
  bytes: 128 * 1024 ** 2,
  tensorBytes: 2 * 1024 ** 3 - 1,
  rank: 16,
  nodes: 100_000,
  tensors: 100_000,
  messages: 1_000_000,
  border: 2_000,
  nesting: 8,
  chain: 20_000,
  functions: 1_000,
  nameBytes: 1_024,
  namesBytes: 16 * 1024 ** 2,
  metadataBytes: 4 * 1024 ** 2,
};
