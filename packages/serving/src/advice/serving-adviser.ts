import { DAY_MILLISECONDS, type Advice, type Clock } from '@perennial/contract';
import {
  getModel,
  keyTraffic,
  predictionCosts,
  type Database,
  type Traffic,
  type TrafficWindow,
} from '@perennial/storage';
import { NOTHING_ASKED, NO_KEYS, recommend } from './recommend.ts';
import { dynamicOption, servingOptions } from './serving-options.ts';

export interface ServingAdviserOptions {
  database: Database;
  clock: Clock;
}

/** Says from the prediction log how a model should be served. The log is read where it is: no prediction comes into this process. */
export class ServingAdviser {
  readonly #options: ServingAdviserOptions;

  constructor(options: ServingAdviserOptions) {
    this.#options = options;
  }

  /** @throws NotFoundError when there is no such model */
  async advise(model: string, windowMilliseconds: number): Promise<Advice> {
    const { database, clock } = this.#options;
    await getModel(database.orm, model);
    const to = clock.now();
    const window: TrafficWindow = { model, from: new Date(to.getTime() - windowMilliseconds), to };
    const traffic = await keyTraffic(database.orm, window);
    const costs = await predictionCosts(database.orm, window);
    return adviceOf(window, traffic, costs);
  }
}

function adviceOf(window: TrafficWindow, traffic: Traffic, costs: Advice['costs']): Advice {
  const { predictions, keyless, keys } = traffic;
  const predictionsPerDay = predictions / daysOf(window, traffic);
  const known = {
    model: window.model,
    from: window.from.toISOString(),
    to: window.to.toISOString(),
    predictions,
    predictionsPerDay,
    keyless,
    keys,
    costs,
  };
  if (predictions === 0) return { ...known, options: [], ...NOTHING_ASKED };
  if (keys === null) return { ...known, options: [dynamicOption({ predictionsPerDay, costs })], ...NO_KEYS };
  const observed = { predictionsPerDay, keyedShare: keys.predictions / predictions, keys, costs };
  const options = servingOptions(observed);
  return {
    ...known,
    options: [options.dynamic, options.static, options.hybrid],
    ...recommend(observed, options),
  };
}

/** From the first prediction on: a model that was new in the window is not asked less for that. Less than a day counts as one. */
function daysOf({ to }: TrafficWindow, { first }: Traffic): number {
  return Math.max(1, (to.getTime() - (first ?? to).getTime()) / DAY_MILLISECONDS);
}
