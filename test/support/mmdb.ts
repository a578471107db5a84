import { isIPv4 } from 'node:net';
import ipaddr from 'ipaddr.js';

/**
 * Writes a small MaxMind-format database (MaxMind DB file format 2.0, records of 24 bits, a tree of IPv6 with IPv4 under ::/96), since no fixture of
 * one may be had. Debian's `mmdblookup` reads it.
 */

type Value = string | number | bigint | boolean | { readonly [key: string]: Value };

const TYPE = { string: 2, double: 3, uint16: 5, uint32: 6, map: 7, uint64: 9, boolean: 14 } as const;

/** The control byte, and the length behind it where it takes more room. Types above 7 have a byte of their own. */
function control(type: number, size: number): Buffer {
  if (size >= 29 + 256) throw new Error('longer than these fixtures need');
  const [short, more] = size < 29 ? [size, []] : [29, [size - 29]];
  return Buffer.from([((type > 7 ? 0 : type) << 5) | short, ...(type > 7 ? [type - 7] : []), ...more]);
}

function unsigned(type: number, value: bigint): Buffer {
  const hex = value === 0n ? '' : value.toString(16);
  const bytes = Buffer.from(hex.length % 2 ? `0${hex}` : hex, 'hex');
  return Buffer.concat([control(type, bytes.length), bytes]);
}

function encoded(value: Value): Buffer {
  if (typeof value === 'string') {
    const bytes = Buffer.from(value);
    return Buffer.concat([control(TYPE.string, bytes.length), bytes]);
  }
  if (typeof value === 'boolean') return control(TYPE.boolean, value ? 1 : 0);
  if (typeof value === 'bigint') return unsigned(TYPE.uint64, value);
  if (typeof value === 'number') return unsigned(TYPE.uint32, BigInt(value));
  const entries = Object.entries(value);
  return Buffer.concat([
    control(TYPE.map, entries.length),
    ...entries.flatMap(([key, one]) => [encoded(key), encoded(one)]),
  ]);
}

function bitsOf(cidr: string): string {
  const [address = '', prefix = ''] = cidr.split('/');
  const bits = ipaddr
    .parse(address)
    .toByteArray()
    .map((byte) => byte.toString(2).padStart(8, '0'))
    .join('');
  return isIPv4(address) ? '0'.repeat(96) + bits.slice(0, Number(prefix)) : bits.slice(0, Number(prefix));
}

type Leaf = { readonly at: number };
type Record24 = null | number | Leaf;

/** @param networks must not hold one another. */
export function mmdb(networks: Readonly<Record<string, Value>>, builtAt: Date): Buffer {
  const nodes: [Record24, Record24][] = [[null, null]];
  const data: Buffer[] = [];
  let length = 0;
  for (const [cidr, value] of Object.entries(networks)) {
    const record = encoded(value);
    const bits = Array.from(bitsOf(cidr), Number) as (0 | 1)[];
    let node = nodes[0];
    for (const [index, bit] of bits.entries()) {
      if (!node) throw new Error('a node is missing');
      if (index === bits.length - 1) node[bit] = { at: length };
      else {
        const next = typeof node[bit] === 'number' ? node[bit] : nodes.push([null, null]) - 1;
        node[bit] = next;
        node = nodes[next];
      }
    }
    data.push(record);
    length += record.length;
  }
  const tree = Buffer.alloc(nodes.length * 6);
  const pointer = (record: Record24) =>
    record === null ? nodes.length : typeof record === 'number' ? record : nodes.length + 16 + record.at;
  for (const [index, [left, right]] of nodes.entries()) {
    tree.writeUIntBE(pointer(left), index * 6, 3);
    tree.writeUIntBE(pointer(right), index * 6 + 3, 3);
  }
  return Buffer.concat([
    tree,
    Buffer.alloc(16),
    ...data,
    Buffer.from([0xab, 0xcd, 0xef]),
    Buffer.from('MaxMind.com'),
    metadata(nodes.length, builtAt),
  ]);
}

const metadata = (nodes: number, builtAt: Date): Buffer =>
  Buffer.concat([
    control(TYPE.map, 7),
    encoded('node_count'),
    encoded(nodes),
    encoded('record_size'),
    unsigned(TYPE.uint16, 24n),
    encoded('ip_version'),
    unsigned(TYPE.uint16, 6n),
    encoded('database_type'),
    encoded('Test'),
    encoded('binary_format_major_version'),
    unsigned(TYPE.uint16, 2n),
    encoded('binary_format_minor_version'),
    unsigned(TYPE.uint16, 0n),
    encoded('build_epoch'),
    encoded(BigInt(Math.floor(builtAt.getTime() / 1_000))),
  ]);
