/** The command line was understood, but what it asks for makes no sense; the message says why. */
export class UsageError extends Error {
  constructor(message: string, options?: { cause?: unknown }) {
    super(message, options);
    this.name = 'UsageError';
  }
}

/** The command did its work and has told the outcome, which is not a good one: a run failed, a checkup is bad. */
export class BadOutcomeError extends Error {
  constructor(
    /** What the process ends with. */
    readonly status: 1 | 2 = 1,
  ) {
    super('The outcome is not a good one.');
    this.name = 'BadOutcomeError';
  }
}
