import ipaddr from 'ipaddr.js';

/**
 * One spelling of each address, so that limits count a caller once: an IPv4 address mapped into IPv6 is itself (RFC 4291
 * §2.5.5.2), IPv6 is written as RFC 5952 says, and a port, brackets, quotes or a zone are left out. Null where it is none.
 */
export function normalAddress(text: string): string | null {
  const bare = withoutPort(text.trim().replaceAll('"', '')).split('%', 1)[0] ?? '';
  // Octal and hexadecimal numbers, which `ipaddr.js` would read as IPv4 too, are no address here.
  const isAddress = ipaddr.IPv4.isValidFourPartDecimal(bare) || ipaddr.IPv6.isValid(bare);
  return isAddress ? spelled(ipaddr.process(bare)) : null;
}

/** `[2001:db8::1]:443`, `[2001:db8::1]`, `192.0.2.1:443` and `::ffff:192.0.2.1:443`, as proxies write them. */
function withoutPort(text: string): string {
  const bracketed = /^\[([^\]]*)\](?::\d{1,5})?$/.exec(text);
  if (bracketed) return bracketed[1] ?? '';
  return /\.\d+:\d{1,5}$/.test(text) ? text.slice(0, text.lastIndexOf(':')) : text;
}

const spelled = (address: ipaddr.IPv4 | ipaddr.IPv6): string =>
  address instanceof ipaddr.IPv6 ? address.toRFC5952String() : address.toString();

/** Callers that are counted together, and how many times one address's limit they may use. */
export interface Net {
  readonly subject: string;
  readonly times: number;
}

/**
 * An IPv6 subscriber holds a /64 at least, often a /56, and a company a /48: whoever has 65 536 blocks is still one caller. But a
 * mobile carrier gives each phone a /64 of its own, so that the wider nets may hold many people: twice and four times
 * as much, which is more than the people behind one IPv4 address of a carrier get.
 */
const NETS_OF_IPV6: readonly (readonly [bits: number, times: number])[] = [
  [64, 1],
  [56, 2],
  [48, 4],
];

/** The narrowest first. An address that nobody could read is one caller with all its like. */
export function netsOf(address: string): readonly [Net, ...Net[]] {
  const normal = normalAddress(address);
  if (normal === null) return [{ subject: 'unknown', times: 1 }];
  if (!normal.includes(':')) return [{ subject: normal, times: 1 }];
  const nets = NETS_OF_IPV6.map(([bits, times]) => {
    const net = ipaddr.IPv6.networkAddressFromCIDR(`${normal}/${bits}`);
    return { subject: `${spelled(net)}/${bits}`, times };
  });
  return nets as unknown as readonly [Net, ...Net[]];
}
