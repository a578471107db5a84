import { inflateRawSync } from 'node:zlib';

/** A spreadsheet has some ten files and one more a sheet; pictures and the like are more. */
const ENTRIES_MAX = 1_000;
/** All that it says it unpacks to. */
const UNPACKED_BYTES_MAX = 200_000_000;

interface Entry {
  readonly name: string;
  readonly method: number;
  readonly packed: number;
  readonly unpacked: number;
  readonly offset: number;
}

export type Unzipped =
  | { readonly ok: true; readonly files: ReadonlyMap<string, Buffer> }
  | { readonly ok: false; readonly code: 'file-unreadable' | 'file-unpacks-too-large' };

/**
 * Unpacks the files of these names. The directory is added up before anything is unpacked, and no file gives more than the directory
 * says: libraries that trust it go on for minutes, or without end (a gigabyte of zeros packs to one megabyte).
 */
export function unzip(bytes: Buffer, isWanted: (name: string) => boolean): Unzipped {
  try {
    const entries = directoryOf(bytes);
    if (entries === null || new Set(entries.map(({ name }) => name)).size !== entries.length)
      return { ok: false, code: 'file-unreadable' };
    const sum = entries.reduce((total, { unpacked }) => total + unpacked, 0);
    if (entries.length > ENTRIES_MAX || sum > UNPACKED_BYTES_MAX)
      return { ok: false, code: 'file-unpacks-too-large' };
    const files = entries
      .filter(({ name }) => isWanted(name))
      .map((entry) => [entry.name, unpack(bytes, entry)] as const);
    return { ok: true, files: new Map(files) };
  } catch (error) {
    return { ok: false, code: isTooLarge(error) ? 'file-unpacks-too-large' : 'file-unreadable' };
  }
}

const isTooLarge = (error: unknown) =>
  error instanceof RangeError && 'code' in error && error.code === 'ERR_BUFFER_TOO_LARGE';

/** PKWARE APPNOTE §4.3.16: the end of the directory stands behind everything but a comment. */
const END = 0x06054b50;
const END_BYTES = 22;
const COMMENT_BYTES_MAX = 65_535;
/** §4.3.12. */
const HEAD = 0x02014b50;
const HEAD_BYTES = 46;
/** §4.3.7: the name's and the extra field's length stand at the end of what comes before a file's bytes. */
const LOCAL_BYTES = 30;
/** Of the UTF-8 flag nothing depends: the names that are read are ASCII. */
const ENCRYPTED = 1;
const STORED = 0;
const DEFLATED = 8;

function directoryOf(bytes: Buffer): Entry[] | null {
  const end = endOf(bytes);
  if (end === null) return null;
  const count = bytes.readUInt16LE(end + 10);
  let at = bytes.readUInt32LE(end + 16);
  const entries: Entry[] = [];
  for (let n = 0; n < count; n += 1) {
    // Sizes of ZIP64 (0xFFFFFFFF) are above the limit.
    if (bytes.readUInt32LE(at) !== HEAD || (bytes.readUInt16LE(at + 8) & ENCRYPTED) !== 0) return null;
    const nameBytes = bytes.readUInt16LE(at + 28);
    entries.push({
      name: bytes.toString('utf8', at + HEAD_BYTES, at + HEAD_BYTES + nameBytes),
      method: bytes.readUInt16LE(at + 10),
      packed: bytes.readUInt32LE(at + 20),
      unpacked: bytes.readUInt32LE(at + 24),
      offset: bytes.readUInt32LE(at + 42),
    });
    at += HEAD_BYTES + nameBytes + bytes.readUInt16LE(at + 30) + bytes.readUInt16LE(at + 32);
  }
  return entries;
}

function endOf(bytes: Buffer): number | null {
  const last = bytes.length - END_BYTES;
  for (let at = last; at >= 0 && at >= last - COMMENT_BYTES_MAX; at -= 1)
    if (bytes.readUInt32LE(at) === END) return at;
  return null;
}

function unpack(bytes: Buffer, { method, packed, unpacked, offset }: Entry): Buffer {
  const from = offset + LOCAL_BYTES + bytes.readUInt16LE(offset + 26) + bytes.readUInt16LE(offset + 28);
  const data = bytes.subarray(from, from + packed);
  if (data.length !== packed) throw new Error('a file of the archive is cut off');
  if (method === STORED && packed === unpacked) return data;
  if (method !== DEFLATED) throw new Error('not packed as spreadsheets are');
  // 0 is no limit to zlib.
  return inflateRawSync(data, { maxOutputLength: Math.max(unpacked, 1) });
}
