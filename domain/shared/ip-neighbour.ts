import ipaddr from 'ipaddr.js';
import { normalAddress } from './ip-address.ts';

/** Loopback, private use (RFC 1918, RFC 4193) and link-local. */
const nearRanges: ReadonlySet<string> = new Set(['loopback', 'private', 'uniqueLocal', 'linkLocal']);

/** What proxies add, the common ones and those of CDNs: each says that somebody else asks through them. */
const proxyHeaders: ReadonlySet<string> = new Set([
  'via',
  'forwarded',
  'x-real-ip',
  'x-client-ip',
  'x-cluster-client-ip',
  'x-original-forwarded-for',
  'x-envoy-external-address',
  'x-original-host',
  'true-client-ip',
  'cf-connecting-ip',
  'cf-ray',
  'fastly-client-ip',
  'cdn-loop',
]);

/**
 * A scraper stands in our own network and comes without a proxy between, whereas everything public comes through one or
 * from a public address. No token to hand out, and no key of a project opens it.
 */
export function isNeighbour(
  headers: Readonly<Record<string, unknown>>,
  remoteAddress: string | undefined,
): boolean {
  const names = Object.keys(headers);
  if (names.some((name) => proxyHeaders.has(name) || name.startsWith('x-forwarded'))) return false;
  const address = normalAddress(remoteAddress ?? '');
  return address !== null && nearRanges.has(ipaddr.parse(address).range());
}
