import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import ipaddr from 'ipaddr.js';
import type { UrlRules } from '../../domain/webhook/url.ts';

export interface Address {
  readonly address: string;
  readonly family: 4 | 6;
}
/** All addresses of a name; none where it has none. Throws where nobody answers. */
export type Resolve = (name: string) => Promise<readonly Address[]>;

/** 3 s, twice: a name server that does not answer by then leaves the rest of the 15 s to nobody. */
const LOOKUP_MS_MAX = 3_000;
const LOOKUP_TRIES = 2;
/** More are a mistake, or an attempt to make us knock at many doors. */
const ADDRESSES_MAX = 16;

const unanswered = new Set(['ENODATA', 'ENOTFOUND']);

/**
 * Asks the name servers. Not through `getaddrinfo`: its four threads serve the whole process, and four names whose servers
 * are silent would stop every other project's callbacks. The price: `/etc/hosts` is not read.
 */
export function systemResolve(): Resolve {
  const resolver = new Resolver({ timeout: LOOKUP_MS_MAX, tries: LOOKUP_TRIES });
  const ask = async (name: string, family: 4 | 6): Promise<Address[]> => {
    const found = await (family === 4 ? resolver.resolve4(name) : resolver.resolve6(name)).catch(
      (error: NodeJS.ErrnoException) => {
        if (unanswered.has(error.code ?? '')) return [];
        throw error;
      },
    );
    return found.map((address) => ({ address, family }));
  };
  return async (name) => {
    // RFC 6761 §6.3: no server is asked for it.
    if (name === 'localhost' || name.endsWith('.localhost')) return [{ address: '127.0.0.1', family: 4 }];
    const found = await Promise.allSettled([ask(name, 4), ask(name, 6)]);
    const addresses = found.flatMap((each) => (each.status === 'fulfilled' ? each.value : []));
    const [first] = found.filter((each) => each.status === 'rejected');
    if (addresses.length === 0 && first) throw first.reason;
    return addresses.slice(0, ADDRESSES_MAX);
  };
}

/** The host of a URL, which may be an address itself: then nobody is asked. */
export async function addressesOf(hostname: string, resolve: Resolve): Promise<readonly Address[]> {
  const bare = hostname.replace(/^\[(.*)\]$/, '$1');
  const family = isIP(bare);
  return family === 4 || family === 6 ? [{ address: bare, family }] : resolve(bare);
}

/** IANA gives out global unicast addresses from here alone; older and stranger forms lie outside. */
const globalUnicast = ipaddr.IPv6.parseCIDR('2000::/3');

/**
 * Public by their number, and answered by the machine's own host: Azure's WireServer, which gives out certificates and
 * settings. The others (169.254.169.254 and .170, fd00:ec2::254, 100.100.100.200, 192.0.0.192) lie in ranges that are not public.
 */
const hostServices: ReadonlySet<string> = new Set(['168.63.129.16']);

/** Documentation (RFC 9637), which the library does not know yet. */
const documentation = ipaddr.IPv6.parseCIDR('3fff::/20');

/**
 * Is this an address of the open internet? Private, loopback, link-local (cloud metadata), carrier-grade NAT, multicast and
 * reserved ranges are not, nor is IPv6 that carries any IPv4 address inside it: mapped, translated (NAT64), 6to4, Teredo.
 */
export function isPublic({ address }: Address): boolean {
  if (!ipaddr.isValid(address)) return false;
  const parsed = ipaddr.parse(address);
  if (parsed.range() !== 'unicast' || hostServices.has(parsed.toString())) return false;
  return !(parsed instanceof ipaddr.IPv6) || (parsed.match(globalUnicast) && !parsed.match(documentation));
}

/** Where callbacks may go: to the open internet, and in development anywhere. */
export const addressRule = ({ allowPrivate }: UrlRules): ((address: Address) => boolean) =>
  allowPrivate ? () => true : isPublic;
