import { describe, expect, it } from 'vitest';
import { RateLimitedError, TooManyFailuresError } from '../errors.ts';
import type { Principal } from '../http/authentication.ts';
import { RequestLimits, networkOf } from './request-limits.ts';

const caller = (name: string, requestsPerMinute?: number | null): Principal => ({
  name,
  roles: ['viewer'],
  models: null,
  ...(requestsPerMinute === undefined ? {} : { requestsPerMinute }),
});

function allowed(limits: RequestLimits, principal: Principal, tries: number): number {
  let counted = 0;
  for (let i = 0; i < tries; i++) {
    try {
      limits.count(principal);
      counted++;
    } catch (error) {
      expect(error).toBeInstanceOf(RateLimitedError);
    }
  }
  return counted;
}

describe('a caller', () => {
  it('may ask as often as the installation says', () => {
    expect(allowed(new RequestLimits({ requestsPerMinute: 5 }), caller('a'), 8)).toBe(5);
  });

  it('has its own limit before the installation’s', () => {
    const limits = new RequestLimits({ requestsPerMinute: 5 });
    expect(allowed(limits, caller('few', 2), 8)).toBe(2);
    expect(allowed(limits, caller('many', 7), 8)).toBe(7);
    expect(allowed(limits, caller('all', null), 8)).toBe(8);
  });

  it('is not slowed down by another', () => {
    const limits = new RequestLimits({ requestsPerMinute: 1 });
    expect(allowed(limits, caller('a'), 2)).toBe(1);
    expect(allowed(limits, caller('b'), 2)).toBe(1);
  });
});

describe('an address with wrong tokens', () => {
  const fail = async (limits: RequestLimits, address: string, times: number) => {
    for (let i = 0; i < times; i++) await limits.countFailure(address).catch(() => undefined);
  };

  it('is told to wait after thirty in a minute, and no other is', async () => {
    const limits = new RequestLimits({ requestsPerMinute: 1 });
    for (let i = 0; i < 30; i++) await limits.countFailure('203.0.113.7');
    await expect(limits.countFailure('203.0.113.7')).rejects.toThrow(TooManyFailuresError);
    await expect(limits.refuseBlocked('203.0.113.7')).rejects.toThrow(TooManyFailuresError);
    await expect(limits.refuseBlocked('203.0.113.8')).resolves.toBeUndefined();
  });

  it('cannot begin again with another address of its own IPv6 network', async () => {
    const limits = new RequestLimits({ requestsPerMinute: 1 });
    await fail(limits, '2001:db8:1:2::1', 31);
    await expect(limits.refuseBlocked('2001:db8:1:2:ffff::9')).rejects.toThrow(TooManyFailuresError);
    await expect(limits.refuseBlocked('2001:db8:1:3::1')).resolves.toBeUndefined();
  });
});

it.each([
  ['203.0.113.7', '203.0.113.7'],
  ['::ffff:203.0.113.7', '::ffff:203.0.113.7'],
  ['2001:db8:1:2:3:4:5:6', '2001:db8:1:2'],
  ['2001:db8::6', '2001:db8:0:0'],
  ['::1', '0:0:0:0'],
  ['in-process', 'in-process'],
])('%s belongs to %s', (address, network) => {
  expect(networkOf(address)).toBe(network);
});
