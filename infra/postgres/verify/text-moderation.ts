import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { z } from 'zod';
import {
  listedSince,
  moderationOf,
  REFUSAL_KEPT_MS,
  type RefusedText,
  type TemplateList,
  type TemplateLists,
  type TextModeration,
  wordingOf,
} from '../../../domain/verify/text-moderation.ts';
import { sha256 } from '../../process/crypto.ts';

/** 5 s: a refusal reaches every worker within it, and a send costs no read of its own. */
const FRESH_MS = 5_000;
/** Three providers there are. */
const PROVIDERS_MAX = 16;
/** Installations have dozens of texts. A project that varies its own has the newest ones remembered. */
const REFUSALS_MAX = 1_000;
/** 10 min: a moderator takes hours. */
const LIST_EVERY_MS = 600_000;
/** 1 min: after a refusal the list is read again, however many there are. */
const LIST_GAP_MS = 60_000;

interface Known {
  readonly list: TemplateList | null;
  readonly refusals: ReadonlyMap<string, RefusedText>;
}

export function textModeration(pool: Pool, now: () => Date): TextModeration {
  const cache = new LRUCache<string, Known>({
    max: PROVIDERS_MAX,
    ttl: FRESH_MS,
    fetchMethod: (provider) => readKnown(pool, provider, now()),
  });
  return {
    of: async (provider, text) => {
      const known = cache.get(provider) ?? (await cache.fetch(provider));
      const refusal = known?.refusals.get(hashOf(text).toString('hex')) ?? null;
      return moderationOf({ list: known?.list ?? null, refusal }, text, now());
    },
    refused: async (provider, text, said) => {
      const at = now();
      const forgotten = new Date(at.getTime() - REFUSAL_KEPT_MS);
      await pool.query(noteRefusal, [provider, hashOf(text), said, at, forgotten, LIST_GAP_MS]);
      cache.delete(provider);
    },
  };
}

const hashOf = (text: string): Buffer => sha256(wordingOf(text));

async function readKnown(pool: Pool, provider: string, now: Date): Promise<Known> {
  const since = new Date(now.getTime() - REFUSAL_KEPT_MS);
  const [list, { rows }] = await Promise.all([
    readList(pool, provider),
    pool.query<RefusalRow>(readRefusals, [provider, since, REFUSALS_MAX]),
  ]);
  return {
    list,
    refusals: new Map(
      rows.map(({ wording, said, since: first, refused_at: at }) => [wording, { said, since: first, at }]),
    ),
  };
}

interface RefusalRow {
  readonly wording: string;
  readonly said: string | null;
  readonly since: Date;
  readonly refused_at: Date;
}

const readRefusals = `
select encode(wording, 'hex') wording, said, since, refused_at from sms_refused_text
where provider = $1 and refused_at > $2 order by refused_at desc limit $3`;

/** One that came back within the time that it is remembered is the same. The list is due again, a minute after its last reading. */
const noteRefusal = `
with noted as (
  insert into sms_refused_text (provider, wording, said, since, refused_at) values ($1, $2, $3, $4, $4)
  on conflict (provider, wording) do update set said = excluded.said, refused_at = excluded.refused_at,
    since = case when sms_refused_text.refused_at > $5 then sms_refused_text.since else excluded.since end)
update sms_template_list set due_at = least(due_at, greatest($4, read_at + $6 * interval '1 millisecond')) where provider = $1`;

export function templateLists(pool: Pool, now: () => Date): TemplateLists {
  return {
    claim: async (provider) => {
      const at = now();
      const { rows } = await pool.query(claimList, [provider, at, new Date(at.getTime() + LIST_EVERY_MS)]);
      return rows.length > 0;
    },
    keep: async (provider, read) => {
      const at = now();
      const templates = listedSince(await readList(pool, provider), read, at);
      await pool.query(keepList, [provider, JSON.stringify(templates), at]);
    },
  };
}

const claimList = `
insert into sms_template_list (provider, due_at) values ($1, $3)
on conflict (provider) do update set due_at = excluded.due_at where sms_template_list.due_at <= $2
returning provider`;

const keepList = `
update sms_template_list set templates = $2::jsonb, read_at = $3,
  changed_at = case when changed_at is null or templates <> $2::jsonb then $3 else changed_at end
where provider = $1`;

const Templates = z.array(
  z.object({ template: z.string(), isApproved: z.boolean(), status: z.string(), since: z.coerce.date() }),
);

interface ListRow {
  readonly templates: unknown;
  readonly read_at: Date;
  readonly changed_at: Date;
}

async function readList(pool: Pool, provider: string): Promise<TemplateList | null> {
  const { rows } = await pool.query<ListRow>(
    'select templates, read_at, changed_at from sms_template_list where provider = $1 and read_at is not null',
    [provider],
  );
  const [row] = rows;
  return row
    ? { templates: Templates.parse(row.templates), readAt: row.read_at, changedAt: row.changed_at }
    : null;
}
