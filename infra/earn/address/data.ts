import ipaddr from 'ipaddr.js';
import { LRUCache } from 'lru-cache';
import type { AddressEvidence } from '../../../domain/earn/address/class.ts';
import { narrowest } from '../../../domain/earn/address/list.ts';
import type { AddressData } from '../../../domain/earn/address/port.ts';
import { mergedFacts } from '../../../domain/earn/address/record.ts';
import { normalAddress } from '../../../domain/shared/ip-address.ts';
import { ConfigError } from '../../process/config.ts';
import type { Logger } from '../../process/log.ts';
import { type AddressFile, type FileSource, readAddressFile, stampOf } from './files.ts';

/** Between two looks whether a file has changed: they change once a day at most. */
const LOOK_MS = 60_000;
/** Addresses of which the answer is kept: those of the phones that report within some minutes, a kilobyte each. */
const REMEMBERED_MAX = 50_000;

interface Kept {
  readonly file: AddressFile;
  readonly stamp: string;
}

interface OpenAddressData extends AddressData {
  /** Reads again what has changed. A file that can't be read is told, and what it said before holds. */
  readonly refresh: () => Promise<void>;
  readonly close: () => void;
}

/**
 * What the configured files say of addresses. They are read again within a minute after they change.
 *
 * @throws ConfigError where one can't be read at the start: who configured it expects that it is asked.
 */
export async function openAddressData(
  sources: readonly FileSource[],
  log: Pick<Logger, 'info' | 'error'>,
): Promise<OpenAddressData> {
  const kept = new Map<FileSource, Kept>();
  for (const source of sources) kept.set(source, await firstRead(source));
  const remembered = new LRUCache<string, AddressEvidence>({ max: REMEMBERED_MAX });
  let ask = askerOf([...kept.values()]);

  const refresh = async () => {
    const changed = await Promise.all(sources.map((source) => readChanged(source, kept, log)));
    if (!changed.includes(true)) return;
    ask = askerOf([...kept.values()]);
    remembered.clear();
  };
  const looking = setInterval(() => void refresh(), LOOK_MS);
  looking.unref();
  return {
    evidenceOf: (address) => {
      const known = remembered.get(address);
      if (known) return known;
      const evidence = ask(address);
      remembered.set(address, evidence);
      return evidence;
    },
    refresh,
    close: () => clearInterval(looking),
  };
}

const variableOf = { database: 'ADDRESS_DATABASES', list: 'ADDRESS_LISTS' } as const;

async function firstRead(source: FileSource): Promise<Kept> {
  try {
    return await keptOf(source);
  } catch (error) {
    throw new ConfigError(`${variableOf[source.kind]}: ${source.path} can't be read: ${wordsOf(error)}`, {
      cause: error,
    });
  }
}

/** The stamp is of before: what changes while it is read is read again. */
async function keptOf(source: FileSource): Promise<Kept> {
  const stamp = await stampOf(source);
  return { file: await readAddressFile(source), stamp };
}

async function readChanged(
  source: FileSource,
  kept: Map<FileSource, Kept>,
  log: Pick<Logger, 'info' | 'error'>,
): Promise<boolean> {
  try {
    if ((await stampOf(source)) === kept.get(source)?.stamp) return false;
    const read = await keptOf(source);
    kept.set(source, read);
    log.info({ file: source.path, made_at: read.file.madeAt }, 'a file of addresses was read again');
    return true;
  } catch (error) {
    log.error(
      { err: error, file: source.path },
      'a file of addresses can not be read; what it said before holds',
    );
    return false;
  }
}

const wordsOf = (error: unknown): string => (error instanceof Error ? error.message : String(error));

/** A look-up through all that was read. */
function askerOf(kept: readonly Kept[]): (address: string) => AddressEvidence {
  const files = kept.map(({ file }) => file);
  const databases = files.filter((file) => file.kind === 'database');
  const lists = files.filter((file) => file.kind === 'list');
  const oldestMs = Math.min(...files.map(({ madeAt }) => madeAt.getTime()));
  const dataAt = files.length === 0 ? null : new Date(oldestMs);
  return (text) => {
    const address = normalAddress(text);
    if (address === null) return { listed: null, facts: {}, isCarrierNat: false, dataAt };
    const found = narrowest(lists.map(({ find }) => find(address)));
    return {
      listed: found && { class: found.class, network: found.network },
      facts: mergedFacts(databases.map(({ recordOf }) => recordOf(address))),
      isCarrierNat: ipaddr.parse(address).range() === 'carrierGradeNat',
      dataAt,
    };
  };
}
