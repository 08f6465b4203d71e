import { admitCaller, type Admission } from '../access/admission.ts';
import { requireModel } from '../access/model-scope.ts';
import type { FrontRequest } from '../http/front.ts';
import { hasPlainHost, type Exchanges } from '../http/predict/exchanges.ts';
import { FrontCredentials } from '../http/predict/front-credentials.ts';
import type { Approach } from '../http/request-origin.ts';
import { inferTensors, type Inference, type InferenceAnswer } from './infer.ts';
import type { Target } from './model-directory.ts';
import { checkTensorHeaders } from './read-body.ts';
import { OIP_ROUTES } from './routes.ts';
import { tellError } from './tell-error.ts';

export interface InferFrontOptions extends Inference, Pick<Admission, 'authenticate' | 'limits'> {
  exchanges: Exchanges;
  approach: Approach;
  maxBodyBytes: number;
}

const ADDRESS = /^\/v2\/models\/([a-z][a-z0-9-]{0,62})(?:\/versions\/([1-9][0-9]{0,8}))?\/infer$/;
const { role } = OIP_ROUTES.modelInfer;
const ROUTES = {
  champion: OIP_ROUTES.modelInfer.path.replace(/\{(\w+)\}/g, ':$1'),
  version: OIP_ROUTES.versionInfer.path.replace(/\{(\w+)\}/g, ':$1'),
};

/** Answers inferences in front of the app, exactly as the app's route would: a thousand rows in bytes take less time to compute than the app takes to hand their body on. */
export class InferFront {
  readonly #options: InferFrontOptions;

  constructor(options: InferFrontOptions) {
    this.#options = options;
  }

  /** Answers a request if it is a plain inference; false leaves it to the app. */
  take(request: FrontRequest): boolean {
    if (request.method !== 'POST' || !hasPlainHost(request)) return false;
    const [, model, version] = ADDRESS.exec(request.url) ?? [];
    if (model === undefined) return false;
    const target: Target = version === undefined ? { model } : { model, version: Number(version) };
    const route = version === undefined ? ROUTES.champion : ROUTES.version;
    this.#options.exchanges.answer({ request, route, refusal: tellError }, () =>
      this.#infer(request, target),
    );
    return true;
  }

  async #infer(request: FrontRequest, target: Target): Promise<InferenceAnswer> {
    const { authenticate, limits, approach, maxBodyBytes } = this.#options;
    const admitted = admitCaller(new FrontCredentials(request, approach), role, { authenticate, limits });
    const principal = admitted instanceof Promise ? await admitted : admitted;
    requireModel(principal, target.model);
    const { headers } = request;
    const [type, encoding] = [headers['content-type'], headers['content-encoding']];
    checkTensorHeaders({ type, encoding, length: headers['content-length'] }, maxBodyBytes);
    const said = headers['inference-header-content-length'];
    const headerLength = Array.isArray(said) ? said.join(', ') : said;
    const body = await request.readBody(maxBodyBytes);
    const cacheControl = headers['cache-control'];
    return inferTensors({ target, body, headerLength, cacheControl }, this.#options);
  }
}
