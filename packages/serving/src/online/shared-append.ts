import type { AppendTerms } from '../journal/journal-options.ts';
import type { Journal } from '../journal/journal.ts';
import { RecordTooLargeError } from '../errors.ts';

type Append = Pick<Journal, 'append'>;

/**
 * Puts the records of all requests that are answered in one go on record by one append: a frame of the journal, its checksum and a promise for a batch instead of for
 * each request, 2 µs of the 12 that a request takes.
 */
export class SharedAppend {
  readonly #journal: Append;
  /** By the terms, which are one object for a model. */
  readonly #gathering = new Map<AppendTerms, Gathering>();

  constructor(journal: Append) {
    this.#journal = journal;
  }

  /** As the journal's `append`; records on other terms are not put together. */
  append(records: readonly string[], terms: AppendTerms = NO_TERMS): Promise<void> {
    const gathering = this.#gathering.get(terms) ?? this.#gather(terms);
    for (const record of records) gathering.records.push(record);
    // One that is too large for the journal must not take the others with it.
    return gathering.written.catch((error: unknown) => {
      if (!(error instanceof RecordTooLargeError) || gathering.records.length === records.length) throw error;
      return this.#journal.append(records, terms);
    });
  }

  /** What is added until the microtasks that are due now are done, as the continuations of one batch are. */
  #gather(terms: AppendTerms): Gathering {
    const records: string[] = [];
    const written = Promise.resolve().then(() => {
      this.#gathering.delete(terms);
      return this.#journal.append(records, terms);
    });
    const gathering = { records, written };
    this.#gathering.set(terms, gathering);
    return gathering;
  }
}

const NO_TERMS: AppendTerms = {};

interface Gathering {
  records: string[];
  written: Promise<void>;
}
