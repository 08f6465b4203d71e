import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { ManualClock } from './clock.ts';
import { InvalidIdError } from './errors.ts';
import { ID_PREFIXES, IdGenerator, formatId, idSchema, parseId, timeOfUuid, type IdKind } from './ids.ts';

const KINDS = Object.keys(ID_PREFIXES) as IdKind[];
const kind = fc.constantFrom(...KINDS);

describe('an id', () => {
  it('comes back from its edge form', () => {
    fc.assert(
      fc.property(kind, fc.uuid(), (anyKind, uuid) => {
        const edge = formatId(anyKind, uuid);
        expect(idSchema(anyKind).parse(edge)).toBe(edge);
        expect(parseId(anyKind, edge)).toBe(uuid);
      }),
    );
  });

  it('has a prefix that no other kind has', () => {
    expect(new Set(Object.values(ID_PREFIXES)).size).toBe(KINDS.length);
  });

  it('of one kind is none of another', () => {
    fc.assert(
      fc.property(kind, kind, fc.uuid(), (one, other, uuid) => {
        fc.pre(one !== other);
        expect(() => parseId(one, formatId(other, uuid))).toThrow(InvalidIdError);
      }),
    );
  });

  it.each([
    '',
    'run_',
    '0190b0a4-0000-7000-8000-000000000000',
    'run_0190B0A4-0000-7000-8000-000000000000',
    'run_0190b0a4-0000-7000-8000-000000000000 ',
    'run_0190b0a4-0000-7000-8000-000000000000\n',
    ' run_0190b0a4-0000-7000-8000-000000000000',
    "run_' or 1=1 --",
    'run_../../etc/passwd',
  ])('is not %j', (text) => {
    expect(() => parseId('run', text)).toThrow(InvalidIdError);
  });
});

describe('generated ids', () => {
  it('carry the time of the clock they were made by', () => {
    const instant = fc.date({
      min: new Date('1970-01-02T00:00:00Z'),
      max: new Date('9999-12-31T00:00:00Z'),
      noInvalidDate: true,
    });
    fc.assert(
      fc.property(instant, (at) => {
        expect(timeOfUuid(new IdGenerator(new ManualClock(at)).next())).toEqual(at);
      }),
    );
  });

  it('rise strictly while the clock stands still or goes on', () => {
    const clock = new ManualClock('2001-03-01T00:00:00Z');
    const ids = new IdGenerator(clock);
    const made = Array.from({ length: 20_000 }, (_, i) => {
      if (i % 5_000 === 0) clock.advance(1);
      return ids.next();
    });
    expect(made).toEqual([...new Set(made)].sort());
  });

  it('follow a clock that a replay sets back by days', () => {
    const clock = new ManualClock('2001-06-30T00:00:00Z');
    const ids = new IdGenerator(clock);
    ids.next();
    clock.set('2001-03-01T00:00:00Z');
    expect(timeOfUuid(ids.next()).toISOString()).toBe('2001-03-01T00:00:00.000Z');
  });

  it('are of version 7 and variant 10 (RFC 9562)', () => {
    expect(new IdGenerator(new ManualClock('2001-03-01T00:00:00Z')).next()).toMatch(
      /^[0-9a-f]{8}-[0-9a-f]{4}-7[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/,
    );
  });
});
