import ipaddr from 'ipaddr.js';

/** What is no public address by its class, and yet leads to a machine's own services: Azure's, which has the class of a public one. */
const METADATA_ADDRESSES = new Set(['168.63.129.16']);

/** Where all public IPv6 addresses are so far (RFC 4291, section 2.4); what is outside, such as `::7f00:1`, may be taken for an IPv4 address by some systems. */
const GLOBAL_UNICAST = ipaddr.IPv6.parseCIDR('2000::/3');

/** IPv4 addresses behind a translator (RFC 6052), which networks with IPv6 only reach the rest of the world by. */
const TRANSLATED = ipaddr.IPv6.parseCIDR('64:ff9b::/96');

/**
 * What an address is that is not a public one: `loopback`, `private`, `linkLocal`, `uniqueLocal`, `carrierGradeNat`, `metadata`, … (the special-purpose
 * registries of IANA, https://www.iana.org/assignments/iana-ipv4-special-registry); undefined for a public one. An IPv4 address within an IPv6 one is judged as what it
 * is.
 */
export function specialClassOf(address: string): string | undefined {
  if (!ipaddr.isValid(address)) return 'no address';
  const parsed = ipaddr.process(address);
  return parsed instanceof ipaddr.IPv6 ? specialIpv6(parsed) : specialIpv4(parsed);
}

function specialIpv4(address: ipaddr.IPv4): string | undefined {
  if (METADATA_ADDRESSES.has(address.toString())) return 'metadata';
  const range = address.range();
  return range === 'unicast' ? undefined : range;
}

function specialIpv6(address: ipaddr.IPv6): string | undefined {
  if (address.match(TRANSLATED)) return specialIpv4(new ipaddr.IPv4(address.toByteArray().slice(12)));
  const range = address.range();
  if (range !== 'unicast') return range;
  return address.match(GLOBAL_UNICAST) ? undefined : 'reserved';
}
