/**
 * A state machine as data: for each state the events it accepts and where they lead. What is not listed is refused.
 */
export type Transitions<State extends string, Event extends string> = Readonly<
  Record<State, Readonly<Partial<Record<Event, State>>>>
>;

/** Where an event leads from a state, or undefined when it is not allowed there. */
export function nextState<State extends string, Event extends string>(
  transitions: Transitions<State, Event>,
  state: State,
  event: Event,
): State | undefined {
  return transitions[state][event];
}

/** The states that nothing leads out of. */
export function finalStates<State extends string, Event extends string>(
  transitions: Transitions<State, Event>,
): State[] {
  return (Object.keys(transitions) as State[]).filter(
    (state) => Object.keys(transitions[state]).length === 0,
  );
}
