import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { inline, paragraphs, table } from './markdown.ts';

/** What a reader of the Markdown sees: escapes and entities undone. */
function seen(markdown: string): string {
  return markdown
    .replace(/\\([^A-Za-z0-9\s])/g, '$1')
    .replace(/&lt;/g, '<')
    .replace(/&gt;/g, '>')
    .replace(/&amp;/g, '&');
}

describe('inline', () => {
  it.each([
    ['a|b', 'a\\|b'],
    ['<script>alert(1)</script>', '&lt;script&gt;alert(1)&lt;/script&gt;'],
    ['[x](javascript:alert(1))', '\\[x\\](javascript:alert(1))'],
    ['**bold** `code` ~gone~ $x$', '\\*\\*bold\\*\\* \\`code\\` \\~gone\\~ \\$x\\$'],
    ['already \\| escaped', 'already \\\\\\| escaped'],
    ['&lt; stays', '&amp;lt; stays'],
    ['# no title', '\\# no title'],
    ['- no item', '\\- no item'],
    ['1. no list', '1\\. no list'],
    ['-0.5', '-0.5'],
    ['---', '\\---'],
    ['two\nlines\r\n\tand \u0000 more', 'two lines and more'],
    ['turned \u202Eround', 'turned round'],
  ])('shows %j as it is', (text, markdown) => {
    expect(inline(text)).toBe(markdown);
  });

  it('shows any text, and leaves nothing that could be markup', () => {
    const text = fc.string({ unit: fc.constantFrom(...'ab1 .#|<>&\\`*_[]~$-+=()!') });
    fc.assert(
      fc.property(text, (given) => {
        const markdown = inline(given);
        expect(seen(markdown)).toBe(given.replace(/ +/g, ' ').trim());
        expect(markdown.replace(/\\./g, 'x')).not.toMatch(
          /[|<>`*_[\]~$]|^[#=]|^[+-](?:[\s+-]|$)|^\d+\.(?:\s|$)/,
        );
      }),
    );
  });
});

describe('paragraphs', () => {
  it('keeps paragraphs apart and escapes each', () => {
    expect(paragraphs('one\nline\n\n\n# two\n')).toBe('one line\n\n\\# two');
    expect(paragraphs('  ')).toBe('');
  });
});

describe('table', () => {
  it('sets numbers to the right', () => {
    expect(table(['a', 'b'], [['x', '1']], [1])).toBe('| a | b |\n| --- | ---: |\n| x | 1 |');
  });
});
