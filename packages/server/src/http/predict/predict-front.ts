import { ROUTES } from '@perennial/contract';
import type { PredictionRequest, PredictionService, PredictionText, Predictor } from '@perennial/serving';
import { admitCaller, type Admission } from '../../access/admission.ts';
import { requireModel } from '../../access/model-scope.ts';
import type { Logger } from '../../platform/logger.ts';
import type { FrontRequest } from '../front.ts';
import { checkBodyHeaders } from '../json-body.ts';
import type { Metrics } from '../metrics.ts';
import type { Approach } from '../request-origin.ts';
import { Exchanges, hasPlainHost } from './exchanges.ts';
import { FrontCredentials } from './front-credentials.ts';
import { readPredictRequest } from './read-predict-request.ts';

export interface PredictFrontOptions extends Pick<Admission, 'authenticate' | 'limits'> {
  predictions: Pick<PredictionService, 'predictText' | 'predictBytes' | 'takesBytes' | 'isLong'>;
  /** Answers requests that bring keys instead of features. */
  byKey: Predictor;
  metrics: Metrics;
  logger: Logger;
  maxBodyBytes: number;
  /** @default as each request says, without proxies */
  approach?: Approach;
  /** Whether a model's requests are answered live and in no other way; those of others are the app's. @default all */
  isLive?: (model: string) => boolean;
  /** @default its own */
  exchanges?: Exchanges;
}

const { role, path } = ROUTES.predict;
const [BEFORE = '', AFTER = ''] = path.split('{model}');
const NAME = /^[a-z][a-z0-9-]{0,62}$/;
/** As Hono names it. */
const ROUTE = path.replace('{model}', ':model');
const DIRECT: Approach = { trustedProxies: 0, publicUrl: null };

/**
 * Answers predictions in front of the app, and exactly as the app's route would: what stands between the two costs four times what a prediction does
 * (docs/performance.md). All that decides (who may, what is valid, how errors read) is the same code.
 */
export class PredictFront {
  readonly #options: PredictFrontOptions;
  readonly #exchanges: Exchanges;
  readonly #approach: Approach;

  constructor(options: PredictFrontOptions) {
    this.#options = options;
    this.#exchanges = options.exchanges ?? new Exchanges(options);
    this.#approach = options.approach ?? DIRECT;
  }

  /** Answers a request if it is a plain prediction's; false leaves it to the app. */
  take(request: FrontRequest): boolean {
    const model = modelOf(request);
    if (model === undefined || this.#options.isLive?.(model) === false) return false;
    this.#exchanges.answer({ request, route: ROUTE }, () => this.#predict(request, model));
    return true;
  }

  async #predict(request: FrontRequest, model: string): Promise<string | Uint8Array> {
    const { authenticate, limits, maxBodyBytes, metrics } = this.#options;
    const credentials = new FrontCredentials(request, this.#approach);
    const admitted = admitCaller(credentials, role, { authenticate, limits });
    const principal = admitted instanceof Promise ? await admitted : admitted;
    requireModel(principal, model);
    const { headers } = request;
    checkBodyHeaders(headers['content-type'], headers['content-length'], maxBodyBytes);
    const read = request.readBody(maxBodyBytes);
    const body = read instanceof Promise ? await read : read;
    const { text, version, rows } = await this.#answerBytes(model, body);
    metrics.predictions({ model, version }, rows);
    return text;
  }

  #answerBytes(model: string, body: Buffer): Promise<PredictionText> {
    const { predictions } = this.#options;
    if (predictions.takesBytes(body.length)) return predictions.predictBytes({ model, body });
    const { instances = [], keys } = readPredictRequest(body);
    const request = { instances, keys };
    if (keys !== undefined && (instances.length === 0 || instances.includes(null)))
      return this.#answerByKey(model, request);
    return predictions.isLong(model, instances.length)
      ? predictions.predictBytes({ model, body })
      : predictions.predictText({ model, request });
  }

  async #answerByKey(model: string, request: PredictionRequest['request']): Promise<PredictionText> {
    const answer = await this.#options.byKey.predict({ model, request });
    return { text: JSON.stringify(answer), version: answer.version, rows: answer.predictions.length };
  }
}

/** The model of a prediction's request; undefined where it is another request, or one that the app must look at. */
function modelOf(request: FrontRequest): string | undefined {
  const { method, url, headers } = request;
  if (method !== 'POST' || !url.startsWith(BEFORE) || !url.endsWith(AFTER)) return undefined;
  const model = url.slice(BEFORE.length, url.length - AFTER.length);
  const plain = NAME.test(model) && headers.prefer === undefined && hasPlainHost(request);
  return plain ? model : undefined;
}
