import { readFile, stat } from 'node:fs/promises';
import { setImmediate } from 'node:timers/promises';
import { Reader, type Response } from 'mmdb-lib';
import type { AddressClass } from '../../../domain/earn/address/class.ts';
import { type AddressList, readingList } from '../../../domain/earn/address/list.ts';

/** Twice the largest database that is sold of this kind: it is held in memory. */
const DATABASE_BYTES_MAX = 1_073_741_824;
/** Half a million networks, some hundred bytes of memory each. */
const LIST_BYTES_MAX = 8_388_608;

/** What one file says, and when it was made. */
export type AddressFile =
  | { readonly kind: 'database'; readonly recordOf: (address: string) => unknown; readonly madeAt: Date }
  | { readonly kind: 'list'; readonly find: AddressList['find']; readonly madeAt: Date };

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
  const { find, dated } = await readList(bytes.toString('utf8'), source.class);
  return { kind: 'list', find, madeAt: dated && dated < mtime ? dated : mtime };
}

/** Requests are answered in between. */
async function readList(text: string, of: AddressClass): Promise<AddressList> {
  const reading = readingList(text, of);
  for (;;) {
    const step = reading.next();
    if (step.done) return step.value;
    await setImmediate();
  }
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
