import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { markup } from './markup.ts';

const HOSTILE = [
  '<script>alert(1)</script>',
  '"><img src=x onerror=alert(1)>',
  "' onmouseover='alert(1)",
  '</style><script>alert(1)</script>',
  '<!--',
  ']]><svg onload=alert(1)>',
  '&lt;script&gt;',
];

describe('markup', () => {
  it.each(HOSTILE)('shows %j as text, in content and in attributes', (text) => {
    const page = markup`<p title="${text}">${text}</p>`.toString();
    expect(page).toMatch(/^<p title="[^<>"]*">[^<>]*<\/p>$/);
  });

  it('leaves nothing of any text that could end an attribute or begin an element', () => {
    fc.assert(
      fc.property(fc.string({ unit: fc.constantFrom(...`ab<>"'&;#/=! \`\u202E\0\n😀`) }), (text) => {
        expect(markup`${text}`.toString()).not.toMatch(/[<>"']|&(?!amp;|lt;|gt;|quot;|#39;)/);
      }),
    );
  });

  it('puts markup in as it is, once escaped and not twice', () => {
    const inner = markup`<b>${'a&b'}</b>`;
    expect(markup`<p>${inner} ${[inner, ', ', 'c<d']}</p>`.toString()).toBe(
      '<p><b>a&amp;b</b> <b>a&amp;b</b>, c&lt;d</p>',
    );
  });

  it('leaves out what is not there, and writes numbers', () => {
    expect(markup`${null}${undefined}${0}${1.5}`.toString()).toBe('01.5');
  });

  it('does not take an object that looks like markup for markup', () => {
    const forged = ['<b>', { toString: () => '<i>' } as unknown as string];
    expect(() => markup`${forged}`.toString()).toThrow(TypeError);
  });

  it('takes out control characters and characters that turn the reading direction', () => {
    expect(markup`${'a\u202Eb\u0000\nc'}`.toString()).toBe('ab c');
  });
});
