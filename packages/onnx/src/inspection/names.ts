import { ModelRefusedError } from '../errors.ts';

/**
 * Letters of other scripts that look just like Latin ones, from the confusables of Unicode's UTS #39 (https://www.unicode.org/reports/tr39/); those that merely resemble, as
 * the Greek alpha, are left out, since formulas use them.
 */
const LATIN_TWINS: ReadonlyMap<string, string> = new Map(
  Object.entries({
    А: 'A',
    В: 'B',
    Е: 'E',
    Ѕ: 'S',
    І: 'I',
    Ј: 'J',
    К: 'K',
    М: 'M',
    Н: 'H',
    О: 'O',
    Р: 'P',
    С: 'C',
    Т: 'T',
    У: 'Y',
    Х: 'X',
    а: 'a',
    е: 'e',
    о: 'o',
    р: 'p',
    с: 'c',
    у: 'y',
    х: 'x',
    ѕ: 's',
    і: 'i',
    ј: 'j',
    ԁ: 'd',
    ԛ: 'q',
    ԝ: 'w',
    һ: 'h',
    ѵ: 'v',
    Α: 'A',
    Β: 'B',
    Ε: 'E',
    Ζ: 'Z',
    Η: 'H',
    Ι: 'I',
    Κ: 'K',
    Μ: 'M',
    Ν: 'N',
    Ο: 'O',
    Ρ: 'P',
    Τ: 'T',
    Υ: 'Y',
    Χ: 'X',
    ο: 'o',
    ν: 'v',
    ϳ: 'j',
    ո: 'n',
    օ: 'o',
    ս: 'u',
    հ: 'h',
    ց: 'g',
  }),
);

const LATIN = /\p{Script=Latin}/u;
const CONTROL = /\p{Cc}/u;
/** Not to be seen, or turning the direction of what is: zero-width characters, marks of direction, private use, lone surrogates, separators of lines. */
const INVISIBLE = /[\p{Cf}\p{Co}\p{Cs}\p{Zl}\p{Zp}]/u;

/**
 * Refuses a name that would be read as another one than it is, or as a path. Slashes are common in names (`/fc1/Gemm_output_0`) and no name becomes a path, so that only
 * the step upwards is refused.
 *
 * @param what what the name is of: `input`
 * @throws ModelRefusedError showing the name with its hidden characters written out
 */
export function checkName(name: string, what: string): void {
  const problem = nameProblem(name);
  if (problem !== undefined) throw new ModelRefusedError(`the name of its ${what} ${shown(name)} ${problem}`);
}

function nameProblem(name: string): string | undefined {
  if (name.includes('\0')) return 'holds a NUL, where many programs would end it';
  if (CONTROL.test(name)) return 'holds a control character';
  if (INVISIBLE.test(name)) return 'holds a character that cannot be seen';
  if (name.split(/[/\\]/).includes('..')) return "holds the path step '..'";
  const word = name.split(/[^\p{L}\p{M}]+/u).find(mixesTwins);
  return word === undefined
    ? undefined
    : `mixes letters of two scripts that look the same (${spelled(word)})`;
}

function mixesTwins(word: string): boolean {
  return LATIN.test(word) && [...word].some((letter) => LATIN_TWINS.has(letter));
}

/** @throws ModelRefusedError where two of some names look the same, or are */
export function refuseLookAlikes(names: readonly string[], what: string): void {
  const seen = new Map<string, string>();
  for (const name of names) {
    const key = appearance(name);
    const other = seen.get(key);
    if (other === name) throw new ModelRefusedError(`two of its ${what} have the name ${shown(name)}`);
    if (other !== undefined)
      throw new ModelRefusedError(
        `two of its ${what} have names that look the same: ${spelled(other)} and ${spelled(name)}`,
      );
    seen.set(key, name);
  }
}

/** What a name looks like: two names with the same look cannot be told apart by who reads them. */
function appearance(name: string): string {
  return [...name.normalize('NFKC')].map((letter) => LATIN_TWINS.get(letter) ?? letter).join('');
}

/** Most characters of a name that an error shows. */
const SHOWN = 80;

/** A name in quotes, cut where it is long, with what cannot be seen written out. */
export function shown(name: string): string {
  return written(name, (letter) => CONTROL.test(letter) || INVISIBLE.test(letter));
}

/** A name in quotes with everything written out that is not ASCII. */
function spelled(name: string): string {
  return written(name, (letter) => !/[ -~]/.test(letter));
}

function written(name: string, isEscaped: (letter: string) => boolean): string {
  const letters = [...name];
  const text = letters.slice(0, SHOWN).map((letter) => (isEscaped(letter) ? codePoint(letter) : letter));
  return `'${text.join('')}${letters.length > SHOWN ? '…' : ''}'`;
}

function codePoint(letter: string): string {
  return `<U+${(letter.codePointAt(0) ?? 0).toString(16).toUpperCase().padStart(4, '0')}>`;
}
