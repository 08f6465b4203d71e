import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { specialClassOf } from './address-class.ts';

describe('an address', () => {
  it.each(['8.8.8.8', '93.184.216.34', '172.32.0.1', '100.128.0.1', '2606:4700::1', '2a00:1450:4001::1'])(
    '%s is a public one',
    (address) => expect(specialClassOf(address)).toBeUndefined(),
  );

  it.each([
    ['127.0.0.1', 'loopback'],
    ['127.255.255.254', 'loopback'],
    ['::1', 'loopback'],
    ['0.0.0.0', 'unspecified'],
    ['::', 'unspecified'],
    ['10.1.2.3', 'private'],
    ['172.16.0.1', 'private'],
    ['192.168.1.1', 'private'],
    ['169.254.169.254', 'linkLocal'],
    ['fe80::1', 'linkLocal'],
    ['fe80::1%eth0', 'linkLocal'],
    ['fc00::1', 'uniqueLocal'],
    ['fd00:ec2::254', 'uniqueLocal'],
    ['fec0::1', 'deprecatedSiteLocal'],
    ['100.64.0.1', 'carrierGradeNat'],
    ['100.100.100.200', 'carrierGradeNat'],
    ['168.63.129.16', 'metadata'],
    ['192.0.0.192', 'reserved'],
    ['198.18.0.1', 'reserved'],
    ['203.0.113.9', 'reserved'],
    ['240.0.0.1', 'reserved'],
    ['224.0.0.251', 'multicast'],
    ['ff02::1', 'multicast'],
    ['255.255.255.255', 'broadcast'],
    ['::7f00:1', 'reserved'],
    ['2002:7f00:1::', '6to4'],
    ['2001::1', 'teredo'],
    ['64:ff9b::8.8.8.8', undefined],
    ['64:ff9b::169.254.169.254', 'linkLocal'],
    ['64:ff9b:1::7f00:1', 'rfc6052'],
    ['not-an-address', 'no address'],
    ['', 'no address'],
  ])('%s is %s', (address, expected) => expect(specialClassOf(address)).toBe(expected));

  it('of IPv4 is judged the same within one of IPv6', () => {
    fc.assert(
      fc.property(fc.ipV4(), (address) => {
        expect(specialClassOf(`::ffff:${address}`)).toBe(specialClassOf(address));
        expect(specialClassOf(`64:ff9b::${address}`)).toBe(specialClassOf(address));
      }),
    );
  });
});
