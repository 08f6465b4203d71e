import { value } from '../foreign-models.ts';
import { goodFile } from './good-file.ts';
import { atSight, type HostileFile } from './hostile-file.ts';

/** Names that are read as another one than they are. */
export function hostileNames(): HostileFile[] {
  const named = (name: string) => () =>
    goodFile((_model, graph) => graph.input.push(value(name, 'float32', [null, 1])));
  const both = (one: string, other: string) => () =>
    goodFile((_model, graph) =>
      graph.input.push(value(one, 'float32', [null, 1]), value(other, 'float32', [null, 1])),
    );
  return atSight({
    'an input that climbs': [
      named('../../etc/passwd'),
      /input '..\/..\/etc\/passwd' holds the path step '..'/,
    ],
    'an input that climbs on Windows': [named('a\\..\\b'), /the path step '..'/],
    'a tensor that climbs': [
      () => goodFile((_model, graph) => graph.node.forEach((node) => (node.name = `../${node.name}`))),
      /the path step '..'/,
    ],
    'NUL in a name': [named('amount\0.png'), /'amount<U\+0000>.png' holds a NUL/],
    'a new line in a name': [
      named('amount\nset-cookie: a=b'),
      /'amount<U\+000A>set-cookie: a=b' holds a control character/,
    ],
    'a colour of the terminal in a name': [named('\u001b[31mred'), /holds a control character/],
    'a zero-width space in a name': [
      named('am\u200bount'),
      /'am<U\+200B>ount' holds a character that cannot be seen/,
    ],
    'a turned direction in a name': [named('amount\u202etxt.exe'), /cannot be seen/],
    'a soft hyphen in a name': [named('amo\u00adunt'), /cannot be seen/],
    'a character of private use in a name': [named('amount\ue000'), /cannot be seen/],
    'a Cyrillic letter in a Latin name': [
      named('аmount'),
      /mixes letters of two scripts that look the same \('<U\+0430>mount'\)/,
    ],
    'a Greek letter in a Latin name': [named('tοtal'), /mixes letters of two scripts/],
    'a Latin and a Cyrillic name that look the same': [
      both('cop', 'сор'),
      /two of its inputs have names that look the same: 'cop' and '<U\+0441><U\+043E><U\+0440>'/,
    ],
    'a wide and a narrow name that look the same': [both('amount', 'ａmount'), /look the same/],
    'two ways to write one letter': [both('caf\u00e9', 'cafe\u0301'), /look the same/],
    'a name of ten thousand letters': [named('x'.repeat(10_000)), /has 10000 bytes; at most 1024/],
    'a name that is no text': [
      () => {
        const bytes = goodFile();
        const at = Buffer.from(bytes).indexOf('coefficients');
        bytes[at] = 0xff;
        return bytes;
      },
      /is not text \(UTF-8\)/,
    ],
  });
}
