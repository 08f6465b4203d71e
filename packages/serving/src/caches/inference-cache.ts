import type { Clock, Digest, PredictionOutput } from '@perennial/contract';

/** What a cache may keep. */
export interface CacheLimits {
  /** Oldest answer that is given, in milliseconds. */
  maxAgeMilliseconds: number;
  /** Memory that all entries take together at most, in bytes. */
  maxBytes: number;
}

interface Entry {
  answer: PredictionOutput;
  at: number;
  bytes: number;
}

/** What an entry takes beside its texts: its place in the map, the object, the strings' own headers. */
const ENTRY_BYTES = 160;
/** What an answer of two fields takes, and what each further class of a multiclass answer adds. */
const ANSWER_BYTES = 120;
const CLASS_BYTES = 64;

/**
 * Answers that an endpoint has given, by the artifact that gave them and the whole of the features. An entry is found by nothing but its full key, in which the artifact is a part: so an answer of
 * one version is never given as another's. Those not asked for longest go first.
 */
export class InferenceCache {
  readonly #clock: Clock;
  readonly #entries = new Map<string, Entry>();
  /** A short name for each artifact, instead of 71 characters in every key. */
  readonly #artifacts = new Map<Digest, string>();
  #bytes = 0;
  readonly counters = { hits: 0, misses: 0, evictions: 0 };

  constructor({ clock }: { clock: Clock }) {
    this.#clock = clock;
  }

  /** Estimated memory of the entries, in bytes: a character counts as two. */
  get bytes(): number {
    return this.#bytes;
  }

  get size(): number {
    return this.#entries.size;
  }

  /** The answer of that artifact to those features; undefined where there is none, or it is too old. */
  find(
    artifact: Digest,
    features: string,
    { maxAgeMilliseconds }: CacheLimits,
  ): PredictionOutput | undefined {
    const key = this.#keyOf(artifact, features);
    const entry = this.#entries.get(key);
    const fresh = entry !== undefined && this.#clock.now().getTime() - entry.at < maxAgeMilliseconds;
    if (!fresh) {
      this.counters.misses++;
      return undefined;
    }
    this.counters.hits++;
    this.#entries.delete(key);
    this.#entries.set(key, entry);
    return entry.answer;
  }

  keep(
    artifact: Digest,
    features: string,
    { answer, limits }: { answer: PredictionOutput; limits: CacheLimits },
  ): void {
    const key = this.#keyOf(artifact, features);
    this.#delete(key);
    const bytes = ENTRY_BYTES + answerBytes(answer) + 2 * key.length;
    if (bytes > limits.maxBytes) return;
    this.#entries.set(key, { answer, at: this.#clock.now().getTime(), bytes });
    this.#bytes += bytes;
    for (const oldest of this.#entries.keys()) {
      if (this.#bytes <= limits.maxBytes) return;
      this.#delete(oldest);
      this.counters.evictions++;
    }
  }

  #delete(key: string): void {
    this.#bytes -= this.#entries.get(key)?.bytes ?? 0;
    this.#entries.delete(key);
  }

  #keyOf(artifact: Digest, features: string): string {
    let name = this.#artifacts.get(artifact);
    if (name === undefined) {
      name = `${this.#artifacts.size}|`;
      this.#artifacts.set(artifact, name);
    }
    return name + features;
  }
}

function answerBytes(answer: PredictionOutput): number {
  if (!('probabilities' in answer)) return ANSWER_BYTES;
  return ANSWER_BYTES + CLASS_BYTES * Object.keys(answer.probabilities).length;
}
