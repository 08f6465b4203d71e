/** What is acted on is ready in less than this; the machine's time, as it is its processes that are waited for. */
const NEARLY_MILLISECONDS = 3_000;

/**
 * Makes a listener to the share of some work that is done, which acts once: when the rest will take no more than three seconds if it goes on at the pace
 * so far. Nothing is kept waiting for longer than that.
 */
export function whenNearlyDone(act: () => void): (done: number) => void {
  const started = performance.now();
  let acted = false;
  return (done) => {
    const left = ((performance.now() - started) * (1 - done)) / done;
    // 0 of 0 milliseconds is no pace.
    if (acted || !(left <= NEARLY_MILLISECONDS)) return;
    acted = true;
    act();
  };
}
