/** Lets everything else that is ready be done first: requests above all. */
export function nextTurn(): Promise<void> {
  return new Promise((resolve) => setImmediate(resolve));
}
