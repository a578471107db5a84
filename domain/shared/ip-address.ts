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
export function isPublic(address: string): boolean {
  return ipaddr.isValid(address) && isPublicAddress(ipaddr.parse(address));
}

function isPublicAddress(parsed: ipaddr.IPv4 | ipaddr.IPv6): boolean {
  if (parsed.range() !== 'unicast' || hostServices.has(parsed.toString())) return false;
  return !(parsed instanceof ipaddr.IPv6) || (parsed.match(globalUnicast) && !parsed.match(documentation));
}

/**
 * What one subscriber has of the open internet: an IPv4 address, or the /64 of an IPv6 one; null of any other. Read once, as every
 * send that tells of a client asks it.
 */
export function publicNet(address: string): string | null {
  if (!ipaddr.isValid(address)) return null;
  const parsed = ipaddr.process(address);
  if (!isPublicAddress(parsed)) return null;
  return parsed instanceof ipaddr.IPv6
    ? `${parsed.parts
        .slice(0, 4)
        .map((part) => part.toString(16))
        .join(':')}::/64`
    : parsed.toString();
}
