import { TooManyUploadsError } from '../errors.ts';

/** Large requests that are held at once: one of 128 MiB is held several times while it is read, as bytes, text, JSON and file, 700 MB in all. */
const HELD = 2;

/** Bounds the memory that files take which are being sent. */
export class UploadGate {
  #held = 0;

  /** Reads and answers one large request. @throws TooManyUploadsError when as many as may be are under way */
  async hold<Result>(work: () => Promise<Result>): Promise<Result> {
    if (this.#held === HELD) throw new TooManyUploadsError(HELD);
    this.#held += 1;
    try {
      return await work();
    } finally {
      this.#held -= 1;
    }
  }
}
