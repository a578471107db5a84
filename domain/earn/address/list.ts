import ipaddr from 'ipaddr.js';
import type { AddressClass } from './class.ts';

/** A network of a list that holds an address. */
export interface FoundNetwork {
  /** As the list has it. */
  readonly network: string;
  readonly class: AddressClass;
  /** Bits of its prefix; of an IPv4 one as it is mapped into IPv6. */
  readonly length: number;
}

export interface AddressList {
  /** The narrowest network that holds the address. */
  readonly find: (address: string) => FoundNetwork | null;
  /** The first date in the comments that it begins with; null where they hold none. */
  readonly dated: Date | null;
}

/** A line of a list that is no network. */
export class ListError extends Error {
  override readonly name = 'ListError';
}

/** Some milliseconds of work between two pauses. */
const LINES_AT_ONCE = 500;

/** Networks by the length of their prefix, and then by its bits. */
type Networks = Map<number, Map<string, string>>;

/**
 * Reads a list: one network (`203.0.113.0/24`, `2001:db8::/32`) or address a line, comments behind `#` or `;`. It pauses every few hundred lines:
 * whoever reads a long one does something else then.
 *
 * @throws ListError naming the first line that is neither.
 */
export function* readingList(text: string, of: AddressClass): Generator<undefined, AddressList> {
  const lines = text.split(/\r?\n/);
  const byLength: Networks = new Map();
  let head: number | null = null;
  for (const [index, line] of lines.entries()) {
    if (index % LINES_AT_ONCE === LINES_AT_ONCE - 1) yield;
    const said = bare(line);
    if (said === '') continue;
    head ??= index;
    const network = networkOf(said);
    if (!network)
      throw new ListError(
        `line ${index + 1}: expected a network such as 203.0.113.0/24, an address, or a comment behind #`,
      );
    const same = byLength.get(network.length) ?? new Map<string, string>();
    byLength.set(network.length, same.set(network.bits, said));
  }
  const dated = dateIn(lines.slice(0, head ?? lines.length).join('\n'));
  return { find: finderIn(byLength, of), dated };
}

const bare = (line: string): string => (line.split(/[#;]/, 1)[0] ?? '').trim();

function dateIn(comments: string): Date | null {
  const found = /\b\d{4}-\d{2}-\d{2}(?:T[\d:.]+(?:Z|[+-]\d{2}:\d{2})?)?/.exec(comments);
  const date = found ? new Date(found[0]) : null;
  return date && !Number.isNaN(date.getTime()) ? date : null;
}

/** A look-up costs one reading for each length that occurs, however many networks there are. */
function finderIn(byLength: Networks, of: AddressClass): AddressList['find'] {
  const lengths = [...byLength.keys()].toSorted((a, b) => b - a);
  return (address) => {
    if (!ipaddr.isValid(address)) return null;
    const bits = bitsOf(address);
    for (const length of lengths) {
      const network = byLength.get(length)?.get(bits.slice(0, length));
      if (network !== undefined) return { network, class: of, length };
    }
    return null;
  };
}

/** The bits of a network's prefix, and how many there are. Null of what is none. */
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

/** Of classes that two lists give to networks of one length, the later one counts here. */
const strictness: readonly AddressClass[] = [
  'unknown',
  'residential',
  'mobile',
  'hosting',
  'vpn-or-proxy',
  'tor',
];

/** Of what several lists say, the narrowest network; of two of one length the stricter class. */
export const narrowest = (found: readonly (FoundNetwork | null)[]): FoundNetwork | null =>
  found
    .filter((one) => one !== null)
    .toSorted(
      (a, b) => b.length - a.length || strictness.indexOf(b.class) - strictness.indexOf(a.class),
    )[0] ?? null;
