import { Resolver } from 'node:dns/promises';
import { isIP } from 'node:net';
import { isPublic } from '../../domain/shared/ip-address.ts';
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

/** Where callbacks may go: to the open internet, and in development anywhere. */
export const addressRule = ({ allowPrivate }: UrlRules): ((address: Address) => boolean) =>
  allowPrivate ? () => true : ({ address }) => isPublic(address);
