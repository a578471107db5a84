import { LRUCache } from 'lru-cache';
import type { Pool } from 'pg';
import { z } from 'zod';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { approvedTexts, type DatedTemplate } from '../../../domain/verify/approved-texts.ts';
import {
  ANSWER_KEPT_MS,
  listedSince,
  moderationOf,
  type ProjectText,
  type TemplateList,
  type TemplateLists,
  type TextAnswer,
  type TextModeration,
  wordingOf,
} from '../../../domain/verify/text-moderation.ts';
import { sha256 } from '../../process/crypto.ts';

/** 5 s: a refusal reaches every worker within it, and a send costs no read of its own. */
const FRESH_MS = 5_000;
/** Three providers there are. */
const PROVIDERS_MAX = 16;
/** Those that send within five seconds. */
const PROJECTS_MAX = 5_000;
/** A project has dozens of texts. Of one that varies its own the newest are remembered. */
const ANSWERS_MAX = 200;
/** 10 min: a moderator takes hours. */
const LIST_EVERY_MS = 600_000;
/** 1 min: after a refusal the list is read again, however many there are. */
const LIST_GAP_MS = 60_000;

type Answers = ReadonlyMap<string, TextAnswer>;

/** @param onMisread a provider took a text although its list says no: once for each reading of the list, and process. */
export function textModeration(
  pool: Pool,
  now: () => Date,
  onMisread: (provider: string) => void = () => undefined,
): TextModeration {
  const listOf = listCache(pool);
  const { answerOf, forget } = answerCache(pool, now);
  const told = new Map<string, number>();

  async function note(sent: ProjectText, isAccepted: boolean, said: string | null) {
    const { provider, projectId, text } = sent;
    const at = now();
    const forgotten = new Date(at.getTime() - ANSWER_KEPT_MS);
    await pool.query(noteAnswer, [projectId, provider, hashOf(text), isAccepted, said, at, forgotten]);
    forget(sent);
    if (!isAccepted) await pool.query(readSoon, [provider, at, LIST_GAP_MS]);
  }
  return {
    of: async (sent) => {
      const [list, answer] = await Promise.all([listOf(sent.provider), answerOf(sent)]);
      return moderationOf({ list, answer }, sent.text, now());
    },
    refused: (sent, said) => note(sent, false, said),
    accepted: async (sent) => {
      const [list, answer] = await Promise.all([listOf(sent.provider), answerOf(sent)]);
      const isDenied = moderationOf({ list, answer: null }, sent.text, now()).state === 'not-approved';
      if (list && isDenied && told.get(sent.provider) !== list.readAt.getTime()) {
        told.set(sent.provider, list.readAt.getTime());
        onMisread(sent.provider);
      }
      // Half of its time is left: what is sent all day costs a write each half hour.
      const isYoung = answer?.isAccepted && now().getTime() - answer.at.getTime() < ANSWER_KEPT_MS / 2;
      if (!isYoung) await note(sent, true, null);
    },
  };
}

const hashOf = (text: string): Buffer => sha256(wordingOf(text));

/** A list is made ready once, and only looked at until another is read. */
function listCache(pool: Pool): (provider: string) => Promise<TemplateList | null> {
  const ready = new Map<string, TemplateList>();
  const lists = new LRUCache<string, { readonly list: TemplateList | null }>({
    max: PROVIDERS_MAX,
    ttl: FRESH_MS,
    fetchMethod: async (provider) => {
      const list = await readList(pool, provider, ready.get(provider));
      if (list) ready.set(provider, list);
      return { list };
    },
  });
  return async (provider) => (lists.get(provider) ?? (await lists.fetch(provider)))?.list ?? null;
}

function answerCache(pool: Pool, now: () => Date) {
  const answers = new LRUCache<string, Answers, { projectId: ProjectId; provider: string }>({
    max: PROJECTS_MAX,
    ttl: FRESH_MS,
    fetchMethod: (_key, _stale, { context }) => readAnswersOf(pool, context, now()),
  });
  const keyOf = ({ projectId, provider }: ProjectText) => `${projectId} ${provider}`;
  return {
    answerOf: async (sent: ProjectText): Promise<TextAnswer | null> => {
      const key = keyOf(sent);
      const known = answers.get(key) ?? (await answers.fetch(key, { context: sent }));
      return known?.get(hashOf(sent.text).toString('hex')) ?? null;
    },
    forget: (sent: ProjectText) => void answers.delete(keyOf(sent)),
  };
}

interface AnswerRow {
  readonly wording: string;
  readonly is_accepted: boolean;
  readonly said: string | null;
  readonly since: Date;
  readonly at: Date;
}

const readAnswers = `
select encode(wording, 'hex') wording, is_accepted, said, since, at from sms_text_answer
where project_id = $1 and provider = $2 and at > $3 order by at desc limit $4`;

async function readAnswersOf(
  pool: Pool,
  { projectId, provider }: { readonly projectId: ProjectId; readonly provider: string },
  now: Date,
): Promise<Answers> {
  const since = new Date(now.getTime() - ANSWER_KEPT_MS);
  const { rows } = await pool.query<AnswerRow>(readAnswers, [projectId, provider, since, ANSWERS_MAX]);
  return new Map(
    rows.map(({ wording, is_accepted: isAccepted, said, since: first, at }) => [
      wording,
      { isAccepted, said, since: first, at },
    ]),
  );
}

/** One that came back within the time that it is remembered is the same. */
const noteAnswer = `
insert into sms_text_answer as a (project_id, provider, wording, is_accepted, said, since, at) values ($1, $2, $3, $4, $5, $6, $6)
on conflict (project_id, provider, wording) do update set is_accepted = excluded.is_accepted, said = excluded.said, at = excluded.at,
  since = case when a.at > $7 and a.is_accepted = excluded.is_accepted then a.since else excluded.since end`;

/** The list is due again, a minute after its last reading. */
const readSoon = `
update sms_template_list set due_at = least(due_at, greatest($2, read_at + $3 * interval '1 millisecond')) where provider = $1`;

export function templateLists(pool: Pool, now: () => Date): TemplateLists {
  return {
    claim: async (provider) => {
      const at = now();
      const { rows } = await pool.query(claimList, [provider, at, new Date(at.getTime() + LIST_EVERY_MS)]);
      return rows.length > 0;
    },
    keep: async (provider, { templates: read, unread }) => {
      const at = now();
      const { rows } = await pool.query<Pick<ListRow, 'templates'>>(
        'select templates from sms_template_list where provider = $1',
        [provider],
      );
      const templates = listedSince(datedIn(rows[0]?.templates), read, at);
      await pool.query(keepList, [provider, JSON.stringify(templates), at, unread]);
    },
  };
}

const claimList = `
insert into sms_template_list (provider, due_at) values ($1, $3)
on conflict (provider) do update set due_at = excluded.due_at where sms_template_list.due_at <= $2
returning provider`;

const keepList = `
update sms_template_list set templates = $2::jsonb, read_at = $3, unread = $4,
  changed_at = case when changed_at is null or templates <> $2::jsonb then $3 else changed_at end
where provider = $1`;

const Templates = z.array(
  z.object({ template: z.string(), isApproved: z.boolean(), status: z.string(), since: z.coerce.date() }),
);
const datedIn = (templates: unknown): DatedTemplate[] => Templates.parse(templates ?? []);

interface ListRow {
  /** Null where they are those that are at hand. */
  readonly templates: unknown;
  readonly unread: number;
  readonly read_at: Date;
  readonly changed_at: Date;
}

const selectList = `
select case when changed_at is distinct from $2 then templates end templates, unread, read_at, changed_at
from sms_template_list where provider = $1 and read_at is not null`;

async function readList(
  pool: Pool,
  provider: string,
  ready: TemplateList | undefined,
): Promise<TemplateList | null> {
  const { rows } = await pool.query<ListRow>(selectList, [provider, ready?.changedAt ?? null]);
  const [row] = rows;
  if (!row) return null;
  const read = { isWhole: row.unread === 0, readAt: row.read_at, changedAt: row.changed_at };
  if (ready && row.templates === null) return { ...read, texts: ready.texts };
  return { ...read, texts: approvedTexts(datedIn(row.templates)) };
}
