import { InvalidRequestError, NotFoundError } from '@perennial/contract';
import {
  findAlias,
  searchModels,
  searchVersions,
  type Executor,
  type FoundVersion,
  type ModelOrder,
  type VersionAttribute,
  type VersionOrder,
} from '@perennial/storage';
import { toMlflowModel, toMlflowVersion, type MlflowModel, type MlflowVersion } from './entities.ts';
import { parseFilter, parseOrderBy } from './filter.ts';

const MODEL_GRAMMAR = { attributes: { name: 'name' }, numbers: [] } as const;
const VERSION_GRAMMAR = {
  attributes: { name: 'name', version_number: 'version', run_id: 'run' } satisfies Record<
    string,
    VersionAttribute
  >,
  numbers: ['version_number'],
} as const;
const MODEL_ORDERS = {
  name: 'name',
  creation_timestamp: 'created',
  last_updated_timestamp: 'changed',
} as const satisfies Record<string, ModelOrder>;
const VERSION_ORDERS = { ...MODEL_ORDERS, version_number: 'version' } as const satisfies Record<
  string,
  VersionOrder
>;

/** A search as MLflow's clients ask it. */
export interface MlflowSearch {
  filter: string;
  max_results: number;
  order_by: string[];
  page_token?: string | undefined;
}

export interface SearchedPage<Item> {
  items: Item[];
  /** The token of the next page, where there is one. */
  next: { next_page_token?: string };
}

/** Whose eyes see it, and under which address they reach the platform. */
export interface View {
  models: readonly string[] | null;
  baseUrl: string;
}

/** Models and versions in MLflow's form. */
export class MlflowReader {
  readonly #db: Executor;

  constructor(db: Executor) {
    this.#db = db;
  }

  /** @throws NotFoundError */
  async model(name: string, baseUrl: string): Promise<MlflowModel> {
    const one = { conditions: [], orderBy: [], models: [name], limit: 1, offset: 0 };
    const [found] = await searchModels(this.#db, one);
    if (!found) throw new NotFoundError('model', name);
    const [latest] = await searchVersions(this.#db, { ...one, latestOnly: true });
    return toMlflowModel(found, { latest, baseUrl });
  }

  /** @throws NotFoundError */
  async version({ name, version }: { name: string; version: number }): Promise<FoundVersion> {
    const conditions = [{ of: { attribute: 'version' }, comparison: '=', values: [version] }] as const;
    const search = { conditions, orderBy: [], models: [name], limit: 1, offset: 0 };
    const [found] = await searchVersions(this.#db, search);
    if (!found) throw new NotFoundError('version', `${name}@${version}`);
    return found;
  }

  /** @throws NotFoundError */
  async versionByAlias(name: string, alias: string): Promise<FoundVersion> {
    const found = await findAlias(this.#db, name, alias);
    if (!found) throw new NotFoundError('alias', `${name}@${alias}`);
    return this.version({ name, version: found.version });
  }

  /** @throws InvalidRequestError */
  async searchModels(search: MlflowSearch, { models, baseUrl }: View): Promise<SearchedPage<MlflowModel>> {
    const conditions = parseFilter(search.filter, MODEL_GRAMMAR);
    const orderBy = parseOrderBy(search.order_by, MODEL_ORDERS);
    const page = pageOf(search);
    const found = await searchModels(this.#db, { conditions, orderBy, models, ...page.rows });
    const shown = found.slice(0, search.max_results);
    const names = shown.map(({ name }) => name);
    const latest = await searchVersions(this.#db, {
      conditions: [],
      orderBy: [],
      models: names,
      latestOnly: true,
      limit: names.length,
      offset: 0,
    });
    const items = shown.map((model) =>
      toMlflowModel(model, { latest: latest.find((one) => one.model === model.name), baseUrl }),
    );
    return { items, next: page.next(found.length) };
  }

  /** @throws InvalidRequestError */
  async searchVersions(
    search: MlflowSearch,
    { models, baseUrl }: View,
  ): Promise<SearchedPage<MlflowVersion>> {
    const conditions = parseFilter(search.filter, VERSION_GRAMMAR);
    const orderBy = parseOrderBy(search.order_by, VERSION_ORDERS);
    const page = pageOf(search);
    const found = await searchVersions(this.#db, { conditions, orderBy, models, ...page.rows });
    const items = found.slice(0, search.max_results).map((version) => toMlflowVersion(version, baseUrl));
    return { items, next: page.next(found.length) };
  }
}

interface PageOfRows {
  /** One row more than is shown tells whether there is more. */
  rows: { limit: number; offset: number };
  next: (found: number) => { next_page_token?: string };
}

function pageOf({ max_results: size, page_token: token }: MlflowSearch): PageOfRows {
  const offset = token === undefined || token === '' ? 0 : offsetOf(token);
  return {
    rows: { limit: size + 1, offset },
    next: (found) => (found > size ? { next_page_token: tokenOf(offset + size) } : {}),
  };
}

/** MLflow's orders are by anything, so a page is told by how many rows stand before it; rows that are added meanwhile move it, as they do in MLflow itself. */
function tokenOf(offset: number): string {
  return Buffer.from(String(offset)).toString('base64url');
}

function offsetOf(token: string): number {
  const text = Buffer.from(token, 'base64url').toString('utf8');
  if (/^\d{1,9}$/.test(text)) return Number(text);
  throw new InvalidRequestError('The page token is not one that this search gave.', [
    { path: 'page_token', message: 'not valid' },
  ]);
}
