/** Longest that a request may have to wait for those that were let in before it, in seconds. Who is turned away waits about as long, since the thread answers in turns. */
const WAIT_SECONDS = 0.025;
/** Requests that are let in at once in any case: so many are computed together, and more at a time would not be faster. */
const LEAST = 256;
/** Answers between two looks at the pace. */
const LOOK_EVERY = 1_000;

/** How much of the time since an earlier call the thread was busy. */
export type BusyTime = () => { milliseconds: number };

/**
 * Lets in as many requests as can be answered within a deadline, and refuses the others before anything was done for them: a server that takes every request answers all of
 * them late. The number that may be under way is the pace at which they are answered while the thread is busy, times the wait that is allowed (Little's law, L = λW; as a limit of
 * concurrency: Ishmael et al. in "Adaptive Concurrency Limits", Netflix 2018, and Maurer, "Fail at Scale", ACM Queue 2015).
 */
export class LoadGate {
  readonly #busySince: BusyTime;
  #limit: number;
  #underWay = 0;
  #answered = 0;
  refused = 0;

  /** @param busySince - tells how long the thread was busy since its last call; @default the event loop's own measurement */
  constructor(busySince: BusyTime = eventLoopBusy()) {
    this.#busySince = busySince;
    this.#limit = LEAST;
  }

  /** Requests that may be under way. */
  get limit(): number {
    return this.#limit;
  }

  /** Whether a request is let in; `leave` must follow then. */
  enter(): boolean {
    if (this.#underWay >= this.#limit) {
      this.refused++;
      return false;
    }
    this.#underWay++;
    return true;
  }

  leave(): void {
    this.#underWay--;
    if (++this.#answered >= LOOK_EVERY) this.#look();
  }

  #look(): void {
    const { milliseconds } = this.#busySince();
    const perSecond = (this.#answered / Math.max(milliseconds, 0.001)) * 1_000;
    this.#limit = Math.max(LEAST, Math.ceil(perSecond * WAIT_SECONDS));
    this.#answered = 0;
  }
}

function eventLoopBusy(): BusyTime {
  let since = performance.eventLoopUtilization();
  return () => {
    const { active } = performance.eventLoopUtilization(since);
    since = performance.eventLoopUtilization();
    return { milliseconds: active };
  };
}
