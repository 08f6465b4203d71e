import { ROUTES } from '@perennial/contract';
import type { PredictionLookups } from '@perennial/serving';
import { admitCaller, type Admission } from '../../access/admission.ts';
import { requireModel } from '../../access/model-scope.ts';
import type { FrontRequest } from '../front.ts';
import type { Metrics } from '../metrics.ts';
import type { Approach } from '../request-origin.ts';
import { hasPlainHost, type Exchanges } from './exchanges.ts';
import { FrontCredentials } from './front-credentials.ts';

export interface LookupFrontOptions extends Pick<Admission, 'authenticate' | 'limits'> {
  lookups: Pick<PredictionLookups, 'lookup'>;
  metrics: Metrics;
  exchanges: Exchanges;
  approach: Approach;
}

const { role, path } = ROUTES.lookupPrediction;
/** Keys that stand in an address as they are; others are the app's to decode. */
const ADDRESS = /^\/v1\/models\/([a-z][a-z0-9-]{0,62})\/predictions\/((?!\.+$)[A-Za-z0-9._~-]{1,256})$/;
const ROUTE = path.replace(/\{(\w+)\}/g, ':$1');

/** Looks up one precomputed answer in front of the app, exactly as the app's route would: or a lookup would take longer than a prediction. */
export class LookupFront {
  readonly #options: LookupFrontOptions;

  constructor(options: LookupFrontOptions) {
    this.#options = options;
  }

  /** Answers a request if it is a plain lookup's; false leaves it to the app. */
  take(request: FrontRequest): boolean {
    if (request.method !== 'GET' || !hasPlainHost(request)) return false;
    const [, model, key] = ADDRESS.exec(request.url) ?? [];
    if (model === undefined || key === undefined) return false;
    this.#options.exchanges.answer({ request, route: ROUTE }, () => this.#lookUp(request, model, key));
    return true;
  }

  async #lookUp(request: FrontRequest, model: string, key: string): Promise<string> {
    const { authenticate, limits, approach, lookups, metrics } = this.#options;
    const admitted = admitCaller(new FrontCredentials(request, approach), role, { authenticate, limits });
    const principal = admitted instanceof Promise ? await admitted : admitted;
    requireModel(principal, model);
    const answer = await lookups.lookup(model, key);
    metrics.predictions(answer, 1);
    return JSON.stringify(answer);
  }
}
