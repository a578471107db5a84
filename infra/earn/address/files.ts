import { readFile, stat } from 'node:fs/promises';
import { Reader, type Response } from 'mmdb-lib';
import type { AddressClass } from '../../../domain/earn/address/class.ts';
import { type ListedNetwork, readList } from '../../../domain/earn/address/list.ts';

/** Twice the largest database that is sold of this kind: it is held in memory. */
const DATABASE_BYTES_MAX = 1_073_741_824;
/** Two million networks. */
const LIST_BYTES_MAX = 67_108_864;

/** What one file says, and when it was made. */
export type AddressFile =
  | { readonly kind: 'database'; readonly recordOf: (address: string) => unknown; readonly madeAt: Date }
  | { readonly kind: 'list'; readonly networks: readonly ListedNetwork[]; readonly madeAt: Date };

/** A configured file. */
export type FileSource =
  | { readonly kind: 'database'; readonly path: string }
  | { readonly kind: 'list'; readonly path: string; readonly class: AddressClass };

/**
 * A MaxMind-format database is as old as it says; a list as old as the date in its head says, or as its file is, whichever is older.
 *
 * @throws where the file can't be read, is too large, or is no such file.
 */
export async function readAddressFile(source: FileSource): Promise<AddressFile> {
  const { size, mtime } = await stat(source.path);
  const bytesMax = source.kind === 'database' ? DATABASE_BYTES_MAX : LIST_BYTES_MAX;
  if (size > bytesMax) throw new Error(`it has ${size} bytes: expected at most ${bytesMax}`);
  const bytes = await readFile(source.path);
  if (source.kind === 'database') {
    const reader = new Reader<Response>(bytes);
    return { kind: 'database', recordOf: recordsOf(reader), madeAt: reader.metadata.buildEpoch };
  }
  const { networks, dated } = readList(bytes.toString('utf8'), source.class);
  return { kind: 'list', networks, madeAt: dated && dated < mtime ? dated : mtime };
}

/** A database of IPv4 alone knows nothing of IPv6. */
const recordsOf = (reader: Reader<Response>) => {
  const isFourOnly = reader.metadata.ipVersion === 4;
  return (address: string): unknown => (isFourOnly && address.includes(':') ? null : reader.get(address));
};

/** Changes when the file does: also where another one took its name. */
export async function stampOf({ path }: FileSource): Promise<string> {
  const { mtimeMs, size, ino } = await stat(path);
  return `${mtimeMs}:${size}:${ino}`;
}
