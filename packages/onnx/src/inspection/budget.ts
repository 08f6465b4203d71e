import { ModelRefusedError } from '../errors.ts';
import type { InspectionLimits } from './limits.ts';

/** What is counted while a file is read. */
export type Counted = 'nodes' | 'tensors' | 'messages' | 'functions' | 'namesBytes' | 'metadataBytes';

const WORDS: Record<Counted, string> = {
  nodes: 'nodes',
  tensors: 'tensors',
  messages: 'parts',
  functions: 'functions',
  namesBytes: 'bytes of names',
  metadataBytes: 'bytes of metadata',
};

/** Counts what a file holds against the limits while it is read, so that it is left where it exceeds one. */
export class Budget {
  readonly limits: InspectionLimits;
  readonly #counts: Record<Counted, number> = {
    nodes: 0,
    tensors: 0,
    messages: 0,
    functions: 0,
    namesBytes: 0,
    metadataBytes: 0,
  };

  constructor(limits: InspectionLimits) {
    this.limits = limits;
  }

  /** @throws ModelRefusedError above the limit */
  take(what: Counted, count = 1): void {
    this.#counts[what] += count;
    if (this.#counts[what] <= this.limits[what]) return;
    throw new ModelRefusedError(`it holds more than ${this.limits[what]} ${WORDS[what]}`);
  }

  /** Goes into a graph inside a graph. @throws ModelRefusedError above the limit */
  descend(depth: number): number {
    if (depth < this.limits.nesting) return depth + 1;
    throw new ModelRefusedError(`its graphs are nested more than ${this.limits.nesting} deep`);
  }
}
