import type pg from 'pg';
import type {
  ForeignValues,
  ReencryptPage,
  Reencrypting,
} from '../../../../domain/staff/secret/reencrypt.ts';
import { encryptedColumns } from '../../encrypted.ts';
import type { KeyRing } from '../../../process/config-values.ts';
import { type Encryption, rowEncryption } from '../../../process/crypto.ts';

/** Some milliseconds of encryption and one short statement, between which everybody else goes on. */
const PAGE_ROWS = 500;

/** What Node writes of bytes; Postgres refuses a whole statement for one text that is not base64. */
const BASE64 = '^([A-Za-z0-9+/]{4})*([A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$';
const pushToken = `t.payload->'to'->>'token_encrypted'`;

/** A column that holds encrypted values. A test finds every one there is in the database, and asks for it here. */
interface Place {
  readonly table: string;
  /** Orders the walk, and names the row. */
  readonly key: { readonly sql: string; readonly type: 'uuid' | 'text'; readonly first: string };
  /** Reads the encrypted bytes. */
  readonly value: string;
  /** What the value is bound to. */
  readonly boundTo: string;
  /** Writes `w.fresh`, the newly encrypted bytes. */
  readonly set: string;
  readonly where?: string;
}

const by = (name: string) =>
  ({ sql: `t.${name}`, type: 'uuid', first: '00000000-0000-0000-0000-000000000000' }) as const;
const column = (table: string, name: string, key = 'id'): Place => ({
  table,
  key: by(key),
  value: `t.${name}`,
  boundTo: `t.${key}::text`,
  set: `${name} = w.fresh`,
});

const places: Readonly<Record<string, Place>> = {
  'recipient.push_token_encrypted': column('recipient', 'push_token_encrypted'),
  'webhook_secret.encrypted': column('webhook_secret', 'encrypted'),
  'device.totp_encrypted': column('device', 'totp_encrypted'),
  'device.totp_next_encrypted': column('device', 'totp_next_encrypted'),
  'device.totp_previous_encrypted': column('device', 'totp_previous_encrypted'),
  'staff.totp_encrypted': column('staff', 'totp_encrypted'),
  'staff_session.totp_offer_encrypted': {
    ...column('staff_session', 'totp_offer_encrypted'),
    key: { sql: `encode(t.token_hash, 'hex')`, type: 'text', first: '' },
    boundTo: 't.staff_id::text',
  },
  // A push to a token that its project named: finished ones too, since staff may try them again.
  'job.payload': {
    table: 'job',
    key: by('id'),
    value: `case when ${pushToken} ~ '${BASE64}' then decode(${pushToken}, 'base64') else ''::bytea end`,
    boundTo: 't.id::text',
    // Postgres breaks base64 into lines (RFC 2045), which JSON would have to escape.
    set: `payload = jsonb_set(t.payload, '{to,token_encrypted}', to_jsonb(replace(encode(w.fresh, 'base64'), E'\\n', '')))`,
    where: `t.kind = 'push' and ${pushToken} is not null`,
  },
  ...Object.fromEntries(
    encryptedColumns.map(({ table, column: name, key }) => [`${table}.${name}`, column(table, name, key)]),
  ),
};

/** `pool` is used for one short statement after the other. */
export function reencrypting(pool: pg.Pool, ring: KeyRing): Reencrypting {
  const encryption = rowEncryption(ring);
  const prefix = prefixOf(ring.current);
  return {
    current: ring.current,
    places: Object.keys(places),
    page: (name, after) => reencryptPage({ pool, encryption, prefix }, placeOf(name), after),
    left: async () => {
      const left: ForeignValues[] = [];
      for (const [place, where] of Object.entries(places)) {
        const { rows } = await pool.query<{ kid: string | null; values: number }>(countForeign(where), [
          prefix,
        ]);
        left.push(...rows.map((row) => ({ place, ...row })));
      }
      return left;
    },
  };
}

function placeOf(name: string): Place {
  const place = places[name];
  if (!place) throw new Error(`nothing is encrypted in ${name}`);
  return place;
}

/** How each value begins that is encrypted with this key: one byte of length, then the key's id. */
function prefixOf(kid: string): Buffer {
  const id = Buffer.from(kid);
  return Buffer.concat([Buffer.of(id.length), id]);
}

/** The key's id in printable form, whatever its bytes are; null of an empty value, which has none. */
const kidOf = (value: string) =>
  `case when length(${value}) > 0 then encode(substring(${value} from 2 for get_byte(${value}, 0)), 'escape') end`;
const encryptedRows = (place: Place) =>
  `${place.table} t where ${place.where ?? 'true'} and ${place.value} is not null`;

const countForeign = (place: Place) => `
select ${kidOf('value')} kid, count(*)::int "values" from (select ${place.value} value from ${encryptedRows(place)}) v
where substring(value from 1 for length($1::bytea)) <> $1 group by 1 order by 1`;

/** Those of the current key too: only opening one tells whether the key of that name is the right one. */
const readPage = (place: Place) => `
select ${place.key.sql}::text key, ${place.boundTo} bound_to, ${place.value} encrypted from ${encryptedRows(place)}
  and ${place.key.sql} > $1::${place.key.type} order by ${place.key.sql} limit ${PAGE_ROWS}`;

/**
 * By compare-and-set: a value that was written since it was read is not met, and stays. A row that somebody else holds is left to
 * the next walk, so that this one waits for nobody, and nobody waits for it in a circle.
 */
const writeFresh = (place: Place) => `
with w as materialized (
  select ${place.key.sql} key, w.fresh from ${place.table} t
  join unnest($1::${place.key.type}[], $2::bytea[], $3::bytea[]) as w (key, old, fresh) on ${place.key.sql} = w.key
  where ${place.value} = w.old for update of t skip locked)
update ${place.table} t set ${place.set} from w where ${place.key.sql} = w.key`;

interface Work {
  readonly pool: pg.Pool;
  readonly encryption: Encryption;
  readonly prefix: Buffer;
}

async function reencryptPage(
  { pool, encryption, prefix }: Work,
  place: Place,
  after: string | null,
): Promise<ReencryptPage> {
  const { rows } = await pool.query<{ key: string; bound_to: string; encrypted: Buffer }>(readPage(place), [
    after ?? place.key.first,
  ]);
  const opened = rows.map((row) => ({
    ...row,
    plain: tryOpen(encryption, row.encrypted, row.bound_to),
    isCurrent: row.encrypted.subarray(0, prefix.length).equals(prefix),
  }));
  const fresh = opened.flatMap(({ key, bound_to: boundTo, encrypted, plain, isCurrent }) =>
    plain === null || isCurrent ? [] : [{ key, encrypted, fresh: encryption.encrypt(plain, boundTo) }],
  );
  const { rowCount } = await pool.query(writeFresh(place), [
    fresh.map(({ key }) => key),
    fresh.map(({ encrypted }) => encrypted),
    fresh.map((row) => row.fresh),
  ]);
  const last = rows.at(-1)?.key ?? null;
  return {
    reencrypted: rowCount ?? 0,
    unreadable: opened.filter(({ plain, isCurrent }) => isCurrent && plain === null).length,
    next: rows.length < PAGE_ROWS ? null : last,
  };
}

/** Null where its key is not in the ring, or the value was damaged: it is counted as left, and keeps nothing else waiting. */
function tryOpen(encryption: Encryption, encrypted: Buffer, boundTo: string): string | null {
  try {
    return encryption.decrypt(encrypted, boundTo);
  } catch {
    return null;
  }
}
