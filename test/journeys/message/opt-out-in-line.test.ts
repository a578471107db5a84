import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Navbat, startNavbat, type TestProject, until } from '../../support/navbat.ts';

/** A bot so slow that its worker has messages in line for seconds. */
const A_SECOND = '2';
const PEOPLE = 24;

let navbat: Navbat;
let project: TestProject;
beforeAll(async () => {
  navbat = await startNavbat({ env: { TELEGRAM_MESSAGES_PER_SECOND: A_SECOND, TELEGRAM_CHAT_GAP_MS: '1' } });
  project = await navbat.createProject();
});
afterAll(() => navbat.stop());

test('a message that is in line for its turn is not sent to whoever opted out a second before', async () => {
  const people = await Promise.all(
    Array.from({ length: PEOPLE }, async (_, n) => {
      const chatId = 8_900_000 + n;
      const { body } = await project.call('PUT', '/recipients', {
        handle: `u${n}`,
        telegram_chat_id: chatId,
      });
      return { id: body.id as string, chatId };
    }),
  );
  const { body } = await project.call('POST', '/telegram/send', {
    to: people.map(({ id }) => ({ recipient_id: id })),
    text: 'salom',
  });
  const begun = (chatId: number) =>
    navbat.sandbox.inbox({ to: String(chatId) }).map(({ received_at }) => Date.parse(received_at));
  const saidAt = new Map<number, number>();
  /** Whose message the worker has in hand: no attempt is needed for that, a place in its queue is. */
  const inHand = async () => {
    const { rows } = await navbat.db.query<{ chat_id: string }>(
      'select chat_id from job where subject_id = $1 and scheduled_at is not null and finished_at is null',
      [body.id],
    );
    return rows.map(({ chat_id }) => Number(chat_id)).filter((chatId) => !saidAt.has(chatId));
  };
  await until(async () => {
    // All of them at once: the last in the line waits longest.
    for (const chatId of await inHand()) {
      const recipient = people.find((one) => one.chatId === chatId);
      await project.call('PUT', `/recipients/${recipient?.id}/preferences`, { opted_out: true });
      saidAt.set(chatId, Date.now());
    }
    return (await project.call('GET', `/broadcasts/${body.id}`)).body.state === 'finished';
  });
  expect(saidAt.size).toBeGreaterThan(10);
  const late = [...saidAt].filter(([chatId, at]) => begun(chatId).some((time) => time > at + 1_000));
  expect(late).toEqual([]);
  const { rows } = await navbat.db.query(
    `select count(*)::int n from attempt a join job j on j.id = a.job_id
     where j.subject_id = $1 and a.outcome = 'rejected' and a.reason = 'recipient-opted-out'`,
    [body.id],
  );
  expect(rows[0].n, 'messages whose attempt was open when their person opted out').toBeGreaterThan(0);
});
