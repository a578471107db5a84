import { Redis } from 'ioredis';
import type { Pool } from 'pg';

/** Everything that stands in one place, as text. */
export interface Place {
  readonly name: string;
  readonly text: string;
}

export interface Secret {
  readonly name: string;
  readonly value: string;
}

export interface Leak {
  readonly place: string;
  readonly secret: string;
  readonly form: string;
}

/** Where a secret, in any form that software writes by accident, stands in a place. */
export function findLeaks(places: readonly Place[], secrets: readonly Secret[]): Leak[] {
  const patterns = secrets.flatMap(({ name, value }) =>
    formsOf(value).map(({ form, pattern }) => ({ secret: name, form, pattern })),
  );
  return places.flatMap(({ name, text }) =>
    patterns
      .filter(({ pattern }) => pattern.test(text))
      .map(({ secret, form }) => ({ place: name, secret, form })),
  );
}

const escaped = (text: string) => text.replace(/[.*+?^${}()|[\]\\]/g, '\\$&');

/** Plain on word boundaries, hex, base64 at each of the three alignments, and in a URL, where an escape may stand before it. */
function formsOf(value: string): { form: string; pattern: RegExp }[] {
  const bytes = Buffer.from(value);
  const percent = [...bytes].map((byte) => `%${byte.toString(16).padStart(2, '0')}`).join('');
  const url = encodeURIComponent(value);
  const aligned = [0, 1, 2].map((shift) => {
    // What surrounds the secret changes the characters at its edges: they are left out.
    const text = Buffer.concat([Buffer.alloc(shift), bytes])
      .toString('base64')
      .replace(/=+$/, '');
    const skipped = shift === 0 ? 0 : shift + 1;
    return text.slice(skipped, text.length - 1);
  });
  return [
    { form: 'plain', pattern: new RegExp(`(?<![A-Za-z0-9])${escaped(value)}(?![A-Za-z0-9])`) },
    { form: 'hex', pattern: new RegExp(bytes.toString('hex'), 'i') },
    ...aligned.map((text) => ({
      form: 'base64',
      pattern: new RegExp(`${escaped(text)}|${escaped(text.replaceAll('+', '-').replaceAll('/', '_'))}`),
    })),
    {
      form: 'url',
      pattern: new RegExp(
        `%[0-9a-f]{2}${escaped(url)}(?![A-Za-z0-9])|${percent}${url === value ? '' : `|${escaped(url)}`}`,
        'i',
      ),
    },
  ];
}

/** Every key of this database, whatever its type. */
export async function redisText(url: string): Promise<string> {
  const redis = new Redis(url);
  try {
    const texts: string[] = [];
    for await (const keys of redis.scanStream({ count: 1_000 }) as AsyncIterable<string[]>)
      for (const key of keys) texts.push(key, JSON.stringify(await readKey(redis, key)));
    return texts.join('\n');
  } finally {
    redis.disconnect();
  }
}

async function readKey(redis: Redis, key: string): Promise<unknown> {
  const type = await redis.type(key);
  switch (type) {
    case 'string':
      return redis.get(key);
    case 'hash':
      return redis.hgetall(key);
    case 'list':
      return redis.lrange(key, 0, -1);
    case 'set':
      return redis.smembers(key);
    case 'zset':
      return redis.zrange(key, '0', '-1', 'WITHSCORES');
    case 'stream':
      return redis.xrange(key, '-', '+');
    default:
      // It expired between the two calls; anything else would pass unread.
      if (type !== 'none') throw new Error(`a key of type ${type} can't be read`);
      return null;
  }
}

/** What `COPY` of every table gives. */
export async function tablesText(db: Pool): Promise<string> {
  const { rows: tables } = await db.query<{ name: string }>(
    `select quote_ident(table_name) name from information_schema.tables where table_schema = 'public' and table_type = 'BASE TABLE'`,
  );
  const texts = await Promise.all(
    tables.map(async ({ name }) => {
      // A row as text writes each column as COPY does; bytea columns come out as hex.
      const { rows } = await db.query<{ line: string }>(`select t::text line from ${name} t`);
      return [name, ...rows.map(({ line }) => line)].join('\n');
    }),
  );
  return texts.join('\n');
}
