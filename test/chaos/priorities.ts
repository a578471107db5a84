import { setTimeout as sleep } from 'node:timers/promises';
import type { Project } from '../bench/support/seed.ts';
import { type MessageStage, onMessageStage } from './support/message-stage.ts';

export interface PrioritiesRun {
  readonly recipients: number;
  /** Urgent messages of the busy project, and as many of another one. */
  readonly samples: number;
  readonly directory: string;
}

export interface PrioritiesReport {
  /** From the request to the provider's having it, in order. */
  readonly urgentMs: readonly number[];
  readonly normalMs: readonly number[];
  readonly neighbourMs: readonly number[];
}

/** Telegram's real pace, as the bot keeps it. */
const MESSAGES_PER_SECOND = 29;
const ARRIVED_WITHIN_MS = 30_000;
const LOOK_MS = 10;

/** How long single messages take while a cancelled broadcast of thousands is cleared, and another one of the same project runs. */
export function runPriorities(run: PrioritiesRun): Promise<PrioritiesReport> {
  const options = { directory: run.directory, projects: 2, messagesPerSecond: MESSAGES_PER_SECOND };
  return onMessageStage(options, async (ground) => {
    const [busy, neighbour] = ground.projects;
    if (!busy || !neighbour) throw new Error('no projects');
    const stopped = await broadcast(ground, busy, 1_000_000, run.recipients);
    await broadcast(ground, busy, 2_000_000, run.recipients);
    await sleep(2_000);
    const times = { urgentMs: [] as number[], normalMs: [] as number[], neighbourMs: [] as number[] };
    // The first ones go out while the cancellation commits and its chats are passed over.
    const cancelling = ground.call(busy, 'POST', `/broadcasts/${stopped}/cancel`);
    for (let n = 0; n < run.samples; n++) {
      times.urgentMs.push(await single(ground, busy, 3_000_000 + n, 'urgent'));
      times.neighbourMs.push(await single(ground, neighbour, 4_000_000 + n));
      times.normalMs.push(await single(ground, busy, 5_000_000 + n));
    }
    await cancelling;
    return times;
  });
}

async function broadcast(
  ground: MessageStage,
  project: Project,
  first: number,
  count: number,
): Promise<string> {
  const to = Array.from({ length: count }, (_, n) => ({ chat_id: first + n }));
  const { status, body } = await ground.call(project, 'POST', '/telegram/send', { to, text: 'hammaga' });
  if (status !== 202) throw new Error(`the broadcast was answered ${status}`);
  return body.id;
}

async function single(
  ground: MessageStage,
  project: Project,
  chat: number,
  priority?: 'urgent',
): Promise<number> {
  const sentAt = Date.now();
  const message = { to: { chat_id: chat }, text: 'bittaga', ...(priority ? { priority } : {}) };
  const { status } = await ground.call(project, 'POST', '/telegram/send', message);
  if (status !== 202) throw new Error(`a message was answered ${status}`);
  while (Date.now() - sentAt < ARRIVED_WITHIN_MS) {
    const found = (await ground.messages()).find(({ to }) => to === String(chat));
    if (found) return Date.parse(found.received_at) - sentAt;
    await sleep(LOOK_MS);
  }
  return Infinity;
}
