import ipaddr from 'ipaddr.js';
import type { AddressClass } from './class.ts';

/** A network of a list. */
export interface ListedNetwork {
  readonly network: string;
  readonly class: AddressClass;
}

interface AddressList {
  readonly networks: readonly ListedNetwork[];
  /** The first date in the comments that it begins with; null where they hold none. */
  readonly dated: Date | null;
}

/** A line of a list that is no network. */
export class ListError extends Error {
  override readonly name = 'ListError';
}

/**
 * Reads a list: one network (`203.0.113.0/24`, `2001:db8::/32`) or address a line, comments behind `#` or `;`.
 *
 * @throws ListError naming the first line that is neither.
 */
export function readList(text: string, of: AddressClass): AddressList {
  const lines = text.split(/\r?\n/);
  const begins = lines.findIndex((line) => bare(line) !== '');
  const networks = lines.flatMap((line, index) => {
    const said = bare(line);
    if (said === '') return [];
    if (networkOf(said) === null)
      throw new ListError(
        `line ${index + 1}: expected a network such as 203.0.113.0/24, an address, or a comment behind #`,
      );
    return [{ network: said, class: of }];
  });
  const head = lines.slice(0, begins < 0 ? lines.length : begins).join('\n');
  return { networks, dated: dateIn(head) };
}

const bare = (line: string): string => (line.split(/[#;]/, 1)[0] ?? '').trim();

function dateIn(comments: string): Date | null {
  const found = /\b\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?/.exec(comments);
  const date = found ? new Date(found[0]) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}

/** The bits of a network's prefix, and how many there are; an IPv4 one as it is mapped into IPv6. Null of what is none. */
function networkOf(text: string): { readonly bits: string; readonly length: number } | null {
  const [address = '', prefix, ...rest] = text.split('/');
  const isFour = ipaddr.IPv4.isValidFourPartDecimal(address);
  if ((!isFour && !ipaddr.IPv6.isValid(address)) || rest.length > 0) return null;
  const size = isFour ? 32 : 128;
  if (prefix !== undefined && !/^\d{1,3}$/.test(prefix)) return null;
  const length = 128 - size + Number(prefix ?? size);
  return length > 128 ? null : { bits: bitsOf(address).slice(0, length), length };
}

const MAPPED = '0'.repeat(80) + '1'.repeat(16);

function bitsOf(address: string): string {
  const parsed = ipaddr.process(address);
  const bits = parsed
    .toByteArray()
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return parsed instanceof ipaddr.IPv4 ? MAPPED + bits : bits;
}

/** Of classes that two lists give to the same network, the later one counts here. */
const strictness: readonly AddressClass[] = [
  'unknown',
  'residential',
  'mobile',
  'hosting',
  'vpn-or-proxy',
  'tor',
];

/**
 * Finds the narrowest of many networks that holds an address. Networks of one length are a map: a look-up costs one reading for each length
 * that occurs, however many networks there are.
 */
export function networkFinder(
  lists: readonly (readonly ListedNetwork[])[],
): (address: string) => ListedNetwork | null {
  const byLength = new Map<number, Map<string, ListedNetwork>>();
  for (const one of lists.flat()) {
    const network = networkOf(one.network);
    if (!network) continue;
    const same = byLength.get(network.length) ?? new Map<string, ListedNetwork>();
    byLength.set(network.length, same);
    const before = same.get(network.bits);
    if (!before || strictness.indexOf(one.class) > strictness.indexOf(before.class))
      same.set(network.bits, one);
  }
  const lengths = [...byLength.keys()].toSorted((a, b) => b - a);
  return (address) => {
    if (!ipaddr.isValid(address)) return null;
    const bits = bitsOf(address);
    for (const length of lengths) {
      const found = byLength.get(length)?.get(bits.slice(0, length));
      if (found) return found;
    }
    return null;
  };
}
