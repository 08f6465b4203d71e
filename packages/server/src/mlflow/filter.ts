import { InvalidRequestError, versionNumberSchema } from '@perennial/contract';
import type { SearchComparison, SearchCondition } from '@perennial/storage';

/**
 * MLflow's filters, `name LIKE 'churn%' AND tags.team = 'growth'`
 * (https://mlflow.org/docs/latest/ml/model-registry/, "Searching registered models and model versions"): conditions joined by AND, each of an attribute or tag, a comparison and a
 * value in quotes, a number, or a list of them in brackets. Anything else is refused, with what is allowed and where it stands.
 */

/** What may be compared, by MLflow's names, with ours. */
export interface FilterGrammar<Attribute extends string> {
  attributes: Readonly<Record<string, Attribute>>;
  /** Those of them that are compared as numbers. */
  numbers: readonly string[];
}

const MAX_CONDITIONS = 20;
const MAX_VALUES = 100;
const WORD = /[A-Za-z_][\w.-]*/y;
const QUOTED = /'(?:[^']|'')*'|"(?:[^"]|"")*"|`[^`]*`/y;
const NUMBER = /\d+/y;
const COMPARISON = /(=|!=|<=|>=|<|>|NOT\s+IN\b|IN\b|LIKE\b|ILIKE\b)/iy;
const AND = /AND\b/iy;

/** MLflow keeps prompts among models, and its clients leave them out of every search by this tag: what does not have it is no prompt. */
const PROMPT_TAG = 'mlflow.prompt.is_prompt';

/** @throws InvalidRequestError */
export function parseFilter<Attribute extends string>(
  filter: string,
  grammar: FilterGrammar<Attribute>,
): SearchCondition<Attribute>[] {
  const reader = new Reader(filter);
  if (reader.atEnd()) return [];
  const conditions = [readCondition(reader, grammar)];
  while (!reader.atEnd()) {
    if (reader.take(AND) === undefined) throw reader.refuse("'AND' or the end");
    conditions.push(readCondition(reader, grammar));
    if (conditions.length > MAX_CONDITIONS) throw reader.refuse(`at most ${MAX_CONDITIONS} conditions`);
  }
  return conditions;
}

function readCondition<Attribute extends string>(
  reader: Reader,
  grammar: FilterGrammar<Attribute>,
): SearchCondition<Attribute> {
  const subject = readSubject(reader, grammar);
  const comparison = readComparison(reader, subject.numeric);
  const values = comparison === 'in' || comparison === 'not in' ? readList(reader) : [readValue(reader)];
  const checked = subject.numeric
    ? values.map((value) => versionNumber(reader, value))
    : texts(reader, values);
  const { of } = subject;
  if (!('tag' in of) || of.tag !== PROMPT_TAG) return { of, comparison, values: checked };
  const isNoPrompt =
    (comparison === '=' && values[0] === 'false') || (comparison === '!=' && values[0] === 'true');
  return { of: { ...of, whereAbsent: isNoPrompt }, comparison, values: checked };
}

interface Subject<Attribute extends string> {
  of: SearchCondition<Attribute>['of'];
  numeric: boolean;
}

function readSubject<Attribute extends string>(
  reader: Reader,
  { attributes, numbers }: FilterGrammar<Attribute>,
): Subject<Attribute> {
  const word = reader.take(WORD) ?? '';
  const [, entity, rest = ''] = /^(?:(attributes?|tags?)\.)?(.*)$/s.exec(word) ?? [];
  if (entity?.startsWith('tag')) {
    // A name with characters of its own stands in quotes after the dot.
    const tag = rest === '' ? unquote(reader.take(QUOTED) ?? '') : rest;
    if (tag === '') throw reader.refuse("a tag's name");
    return { of: { tag, whereAbsent: false }, numeric: false };
  }
  const attribute = Object.hasOwn(attributes, rest) ? attributes[rest] : undefined;
  if (attribute === undefined)
    throw reader.refuse(
      `${Object.keys(attributes)
        .map((name) => `'${name}'`)
        .join(', ')} or 'tags.<name>'`,
      word,
    );
  return { of: { attribute }, numeric: numbers.includes(rest) };
}

function readComparison(reader: Reader, numeric: boolean): SearchComparison {
  const comparison = reader.take(COMPARISON)?.toLowerCase().replace(/\s+/, ' ') as
    SearchComparison | undefined;
  const allowed: readonly SearchComparison[] = numeric
    ? ['=', '!=', '<', '<=', '>', '>=']
    : ['=', '!=', 'like', 'ilike', 'in', 'not in'];
  if (comparison !== undefined && allowed.includes(comparison)) return comparison;
  throw reader.refuse(`one of ${allowed.join(', ').toUpperCase()}`, comparison);
}

type Value = string | number;

function readValue(reader: Reader): Value {
  const number = reader.take(NUMBER);
  if (number !== undefined) return Number(number);
  const quoted = reader.take(QUOTED);
  if (quoted === undefined || quoted.startsWith('`')) throw reader.refuse('a value in quotes', quoted);
  return unquote(quoted);
}

function readList(reader: Reader): Value[] {
  if (reader.take(/\(/y) === undefined) throw reader.refuse("a list such as ('a', 'b')");
  const values = [readValue(reader)];
  while (reader.take(/,/y) !== undefined) values.push(readValue(reader));
  if (reader.take(/\)/y) === undefined) throw reader.refuse("',' or ')'");
  if (values.length > MAX_VALUES) throw reader.refuse(`at most ${MAX_VALUES} values`);
  return values;
}

function versionNumber(reader: Reader, value: Value): number {
  const parsed = versionNumberSchema.safeParse(value);
  if (!parsed.success) throw reader.refuse("a version's number", String(value));
  return parsed.data;
}

function texts(reader: Reader, values: Value[]): string[] {
  return values.map((value) => {
    // PostgreSQL has no text with NUL in it, so nothing can equal it.
    if (typeof value === 'number' || value.includes('\0'))
      throw reader.refuse('a value in quotes', String(value));
    return value;
  });
}

function unquote(quoted: string): string {
  const mark = quoted.charAt(0);
  return quoted.slice(1, -1).replaceAll(mark + mark, mark);
}

/** Reads a filter from its beginning, token by token. */
class Reader {
  readonly #text: string;
  #at = 0;

  constructor(text: string) {
    this.#text = text;
    this.#skipSpace();
  }

  atEnd(): boolean {
    return this.#at >= this.#text.length;
  }

  /** The text that a sticky pattern finds here, if it does. */
  take(pattern: RegExp): string | undefined {
    pattern.lastIndex = this.#at;
    const [found] = pattern.exec(this.#text) ?? [];
    if (found === undefined) return undefined;
    this.#at += found.length;
    // A tag's quoted name follows its dot at once.
    if (!found.endsWith('.')) this.#skipSpace();
    return found;
  }

  refuse(
    expected: string,
    found = this.#text.slice(this.#at, this.#at + 40) || 'the end',
  ): InvalidRequestError {
    return new InvalidRequestError(
      `The filter is not valid near character ${this.#at + 1}: expected ${expected}, found ${found}.`,
      [{ path: 'filter', message: `expected ${expected}` }],
    );
  }

  #skipSpace(): void {
    const space = /\s*/y;
    space.lastIndex = this.#at;
    this.#at += space.exec(this.#text)?.[0].length ?? 0;
  }
}

/**
 * MLflow's orders: `name`, `last_updated_timestamp DESC`.
 * @throws InvalidRequestError
 */
export function parseOrderBy<Order extends string>(
  given: readonly string[],
  orders: Readonly<Record<string, Order>>,
): { attribute: Order; ascending: boolean }[] {
  return given.map((text) => {
    const [, name = '', direction = 'ASC'] =
      /^\s*(?:attributes?\.)?`?(\w+)`?(?:\s+(ASC|DESC))?\s*$/i.exec(text) ?? [];
    const attribute = Object.hasOwn(orders, name) ? orders[name] : undefined;
    if (attribute !== undefined) return { attribute, ascending: direction.toUpperCase() === 'ASC' };
    const allowed = Object.keys(orders).join(', ');
    throw new InvalidRequestError(
      `Cannot order by '${text}': it must be one of ${allowed}, with ASC or DESC after it.`,
      [{ path: 'order_by', message: `must be one of ${allowed}` }],
    );
  });
}
