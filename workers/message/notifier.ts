import {
  type Announced,
  type Notice,
  NOTICE_AGE_MAX_MS,
  type Notices,
  type Pushed,
} from '../../domain/identity/approval/notice.ts';
import { noticeWords } from '../../domain/identity/approval/notice-words.ts';
import { decidePush } from '../../domain/identity/approval/push-limits.ts';
import {
  type BroadcastIntake,
  type BroadcastOrder,
  LIFE_SECONDS_DEFAULT,
} from '../../domain/message/broadcast/broadcast.ts';
import { PLATFORM_PROJECT_ID, PLATFORM_SLUG } from '../../domain/project/platform.ts';

export interface AnnounceDeps {
  readonly notices: Notices;
  /** Takes pushes and messages as jobs of Navbat's own project. */
  readonly intake: BroadcastIntake;
  readonly now: () => Date;
}

/** As soon as a person expects their phone to ring. */
const IDLE_MS = 100;
/** A round is one short transaction: it holds these people's rows while it hands over what they are told. */
const NOTICES_MAX = 50;

/**
 * Tells people what was committed for them to hear. Runs beside the scheduler. Safe to run twice, and in two processes: what is told
 * is known by the notice's id, and told once.
 *
 * @returns a round; it answers after how many milliseconds the next one is due.
 */
export function announcer(deps: AnnounceDeps): () => Promise<number> {
  return async () => {
    const taken = await deps.notices.takeDue(NOTICES_MAX, deps.now(), (notices) =>
      announceAll(deps, notices),
    );
    return taken === NOTICES_MAX ? 0 : IDLE_MS;
  };
}

/** In order, since each push counts for the next one to the same person. */
async function announceAll(deps: AnnounceDeps, notices: readonly Notice[]): Promise<readonly Announced[]> {
  const pushes = new Map<string, { all: number; strangers: number; apps: number }>();
  const announced: Announced[] = [];
  for (const notice of notices) {
    const { personId, pushes: before, challenge } = notice;
    const more = pushes.get(personId) ?? { all: 0, strangers: 0, apps: 0 };
    const standing = {
      ...before,
      sent: before.sent + more.all,
      sentByStrangers: before.sentByStrangers + more.strangers,
      sentByApps: before.sentByApps + more.apps,
    };
    const pushed = await announce(deps, { ...notice, pushes: standing });
    if (pushed === 'sent') {
      const strangers = more.strangers + (challenge?.asker === 'stranger' ? 1 : 0);
      const apps = more.apps + (challenge && challenge.asker !== 'service' ? 1 : 0);
      pushes.set(personId, { all: more.all + 1, strangers, apps });
    }
    announced.push({ id: notice.id, pushed });
  }
  return announced;
}

async function announce(deps: AnnounceDeps, notice: Notice): Promise<Pushed | null> {
  const now = deps.now();
  if (now.getTime() - notice.at.getTime() > NOTICE_AGE_MAX_MS) return null;
  if (notice.kind !== 'challenge') {
    await Promise.all([pushTo(deps, notice, LIFE_SECONDS_DEFAULT), messageTo(deps, notice)]);
    return null;
  }
  if (notice.challenge === null || notice.challenge.expiresAt <= now) return null;
  const decision = decidePush(notice.pushes, notice.challenge.asker, now);
  if (decision !== 'push') return decision;
  const ttlSeconds = Math.ceil((notice.challenge.expiresAt.getTime() - now.getTime()) / 1_000);
  return (await pushTo(deps, notice, ttlSeconds)) ? 'sent' : 'unreachable';
}

/** What a device did is told to the person's others; what was done to a device, and what they are asked, to all. */
function devicesFor({ kind, subjectId, devices }: Notice) {
  return kind === 'device-bound' || kind === 'lock-lifted'
    ? devices.filter(({ id }) => id !== subjectId)
    : devices;
}

/** False where no device can be reached. */
async function pushTo(deps: AnnounceDeps, notice: Notice, ttlSeconds: number): Promise<boolean> {
  const targets = devicesFor(notice).map(({ recipientId }) => ({ by: 'recipient', recipientId }) as const);
  if (targets.length === 0) return false;
  const { kind, subjectId, locale } = notice;
  const { kind: answer } = await deps.intake.accept({
    ...orderOf(deps, notice, ttlSeconds),
    kind: 'push',
    targets,
    content: {
      notification: noticeWords(kind, locale),
      // The id alone: what is asked is fetched by the app, with its own session.
      data: { kind, ...idOf(kind, subjectId) },
      android: { priority: 'high' },
      ttl_seconds: ttlSeconds,
      collapse_key: subjectId,
    },
  });
  return answer === 'accepted';
}

function idOf(kind: Notice['kind'], id: string): Record<string, string> {
  if (kind === 'challenge') return { challenge_id: id };
  return kind === 'chat-bound' ? {} : { device_id: id };
}

async function messageTo(deps: AnnounceDeps, notice: Notice): Promise<void> {
  const targets = notice.chats.map((chatId) => ({ by: 'chat', chatId }) as const);
  if (targets.length === 0) return;
  const { title, body } = noticeWords(notice.kind, notice.locale);
  await deps.intake.accept({
    ...orderOf(deps, notice, LIFE_SECONDS_DEFAULT),
    kind: 'telegram-message',
    targets,
    content: { text: `${title}\n${body}`, format: 'plain', silent: false },
  });
}

function orderOf(
  { now }: AnnounceDeps,
  { id }: Notice,
  lifeSeconds: number,
): Omit<BroadcastOrder, 'kind' | 'targets' | 'content'> {
  const sendAt = now();
  return {
    caller: { projectId: PLATFORM_PROJECT_ID, slug: PLATFORM_SLUG, mode: 'live' },
    priority: 'normal',
    sendAt,
    expiresAt: new Date(sendAt.getTime() + lifeSeconds * 1_000),
    // After a crash between handing over and recording, the repeat is known by it.
    dedupeKey: `notice:${id}`,
    idempotency: null,
    requestId: `notice-${id}`,
    category: null,
  };
}
