import { LRUCache } from 'lru-cache';
import type pg from 'pg';
import { z } from 'zod';
import {
  type AddressAssessment,
  type AddressRules,
  assessAddress,
  isOld,
} from '../../../../domain/earn/address/assess.ts';
import type { AddressData, SessionAddresses } from '../../../../domain/earn/address/port.ts';
import type { SessionId } from '../../../../domain/earn/ids.ts';
import { addressRules, earnSettings } from '../../../../domain/earn/settings.ts';
import type { Assessment } from '../../../../domain/earn/traffic/counterpart.ts';
import { normalAddress } from '../../../../domain/shared/ip-address.ts';
import type { ProjectId } from '../../../../domain/shared/ids.ts';
import { eachWaiting } from './waiting.ts';

/** Sessions of which this process knows what was written last: those that report within an hour, 200 bytes each. */
const REMEMBERED_MAX = 100_000;
/** So long a change of the project's settings may wait. */
const RULES_MS = 10_000;
/** Of an address that nobody can read. */
const NO_ADDRESS = '::';

interface Deps {
  readonly pool: pg.Pool;
  readonly book: ProjectId;
  readonly data: AddressData;
}

interface Remembered {
  /** What was assessed, and of which address. */
  readonly said: string;
  readonly now: Assessment;
}

/**
 * A session that comes from where it came from last, as far as this process knows, costs no statement; any other costs one, which writes only
 * where what is known of its addresses changes.
 */
export function sessionAddresses({ pool, book, data }: Deps): SessionAddresses {
  const remembered = new LRUCache<string, Remembered>({ max: REMEMBERED_MAX });
  const rulesAt = rulesOf(pool, book);
  const seen: SessionAddresses['seen'] = async ({ sessionId, personId, address, now }) => {
    const assessed = assessAddress(data.evidenceOf(address), await rulesAt(now), now);
    const normal = normalAddress(address) ?? NO_ADDRESS;
    const said = `${normal} ${assessed.verdict} ${assessed.reason}`;
    const key = keyOf({ sessionId, personId });
    const before = remembered.get(key);
    if (before?.said === said) return before.now;
    const { rows } = await pool.query<SeenRow>(write, [
      book,
      sessionId,
      personId,
      normal,
      assessed.class,
      assessed.verdict,
      assessed.reason,
      JSON.stringify(evidenceOf(assessed)),
      assessed.evidence.dataAt,
    ]);
    const [row] = rows;
    if (!row) return null;
    remembered.set(key, { said, now: row });
    return row;
  };
  return {
    seen,
    countryOf: (address) => data.evidenceOf(address).facts.country ?? null,
    reassess: async (now) => {
      if (isOld(data.evidenceOf(NO_ADDRESS).dataAt, now)) return 0;
      return eachWaiting({ pool, book, now }, (of) => {
        // Another process may have written what this one does not know of.
        remembered.delete(keyOf(of));
        return seen({ ...of, now });
      });
    },
  };
}

/** What is kept of it, with a verdict that it changed. */
const evidenceOf = ({ evidence: { listed, facts, isCarrierNat } }: AddressAssessment) => ({
  ...(listed && { list: listed }),
  ...(isCarrierNat && { carrier_nat: true }),
  ...facts,
});

interface SeenRow {
  readonly verdict: Assessment['verdict'];
  readonly reason: string | null;
}

const write = `
select verdict, reason from session_address_seen($1, $2, $3, $4, $5, $6, $7, $8, $9)`;

const keyOf = ({ sessionId, personId }: { readonly sessionId: SessionId; readonly personId: string }) =>
  `${personId}:${sessionId}`;

const Settings = z.object(earnSettings);

/** The project's own, read again when they are old; many that ask at once read them once. */
function rulesOf(pool: pg.Pool, book: ProjectId): (now: Date) => Promise<AddressRules> {
  let read: { readonly at: number; readonly rules: Promise<AddressRules> } | null = null;
  const readNow = async () => {
    const { rows } = await pool.query<{ settings: unknown }>('select settings from project where id = $1', [
      book,
    ]);
    return addressRules(Settings.parse(rows[0]?.settings ?? {}));
  };
  return (now) => {
    const at = now.getTime();
    if (read && Math.abs(at - read.at) < RULES_MS) return read.rules;
    const rules = readNow();
    read = { at, rules };
    // What failed is asked again by the next.
    rules.catch(() => (read = null));
    return rules;
  };
}
