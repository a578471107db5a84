import { randomUUID } from 'node:crypto';
import { expect, test } from 'vitest';
import { eventTypes } from '../../../domain/events.ts';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { keyedHash } from '../../../infra/process/crypto.ts';
import { preferencesStore } from '../../../infra/postgres/message/preferences/preferences.ts';
import { buttonPresses } from '../../../infra/postgres/message/telegram/button-presses.ts';
import { tellHalfSpent } from '../../../infra/postgres/verify/paid-attempts.ts';
import { telegramChats } from '../../../infra/postgres/telegram/chats.ts';
import { faultsOfEvent } from '../../support/event-body.ts';
import { startReceiver } from '../../support/webhook-receiver.ts';
import { webhookBench } from './bench.ts';

type Bench = Awaited<ReturnType<typeof webhookBench>>;
type Project = Awaited<ReturnType<Bench['addProject']>>;

// Telegram's ids have up to 52 bits.
const CHAT = 4_503_599_627_370_495;
const MESSAGE = 17;
const LIKE_A_TIME = '2026-01-15T10:00:00+05:00';

const closings = ['approved', 'denied', 'expired', 'cancelled', 'max-checks-reached'];

/** Each event is the trigger's of what really happened; only who changed the rows is left out. */
async function makeEverythingHappen(bench: Bench, project: Project) {
  for (const state of closings) await closeVerification(bench, project, state);
  for (const state of ['completed', 'failed']) {
    await endJob(bench, (await bench.addVerification(project)).jobId, state);
    const { jobId } = await addMessage(bench, project);
    await endJob(bench, jobId, state);
  }
  await finishBroadcast(bench, project);
  await pressButton(bench, project);
  await moveGroup(bench, project);
  await changePreferences(bench, project);
  await spendHalf(bench, project);
  await endPayouts(bench, project);
  await askAndRedeem(bench, project);
  const { id } = await bench.addEndpoint(project, 'https://gone.example/');
  await bench.webhooks.test(project, id, 'request-1', bench.clock.now);
  await bench.pool.query(
    `update webhook_endpoint set disabled_at = $2, disabled_reason = 'failing', failing_since = $2::timestamptz - interval '5 days' where id = $1`,
    [id, bench.clock.now],
  );
}

/** As the functions of paying would, which hold money besides. */
async function endPayouts({ pool, owner, clock }: Bench, { projectId }: Project) {
  await pool.query('select ledger_book_open($1)', [projectId]);
  const { rows } = await owner.query<{ id: string }>(
    `insert into payout_destination (project_id, phone, rail, token_encrypted, holder_hash, last4, usable_from, made_at)
     values ($1, '+998901234567', 'multicard', 'x', sha256('x'), '1234', $2, $2) returning id`,
    [projectId, clock.now],
  );
  for (const [state, ends] of [
    ['batched', ['paid', 'returned']],
    ['batched', ['failed']],
    ['pending', ['cancelled']],
  ] as const) {
    const id = randomUUID();
    await owner.query(
      `insert into payout (id, project_id, source, funder, phone, purpose, reference, destination_id, rail, gross, fee, net, state, asked_by, created_at, state_at)
       values ($1::uuid, $2, 'api', $2, '+998901234567', 'delivery', $1::text, $3, 'multicard', 2000000, 0, 2000000, $4, 'key:' || $1, $5, $5)`,
      [id, projectId, rows[0]?.id, state, clock.now],
    );
    for (const end of ends) await owner.query('update payout set state = $2 where id = $1', [id, end]);
  }
  // Money goes by the clock of the database, and not by this test's.
  await owner.query('update job set run_at = $2 where project_id = $1 and run_at > $2', [
    projectId,
    clock.now,
  ]);
}

/** As the functions of earning would, which hold money besides. */
async function askAndRedeem({ pool, owner, clock }: Bench, { projectId }: Project) {
  await pool.query(
    `insert into support_request (project_id, person_id, subject, locale, state, messages, created_at, state_at)
     values ($1, $2, 'Unpaid', 'uz', 'open', 0, $3, $3)`,
    [projectId, randomUUID(), clock.now],
  );
  await owner.query(
    `with made as (
       insert into staff (id, email, role, password_hash, created_at) values (uuidv7(), 'a@navbat.example', 'finance', 'none', $2) returning id),
     code as (
       insert into promo_code (project_id, code, amount, uses_max, valid_from, valid_to, state, asked_by, asked_at)
       select $1, 'WELCOME26', 100, 1, $2, $2::timestamptz + interval '1 day', 'active', id, $2 from made returning id)
     select from code`,
    [projectId, clock.now],
  );
  await owner.query(
    `insert into promo_redemption (code_id, person_id, amount, owed, at) select id, $1, 100, 0, $2 from promo_code`,
    [randomUUID(), clock.now],
  );
}

async function closeVerification(bench: Bench, project: Project, state: string) {
  const { id } = await bench.addVerification(project);
  await bench.pool.query(`update verification set state = $2, closed_at = $3 where id = $1`, [
    id,
    state,
    bench.clock.now,
  ]);
}

const endJob = ({ pool, clock }: Bench, jobId: string, state: string) =>
  pool.query(`update job set state = $2, finished_at = $3, reason = $4 where id = $1`, [
    jobId,
    state,
    clock.now,
    state === 'completed' ? null : 'timeout',
  ]);

async function addMessage({ pool, clock }: Bench, { projectId, mode }: Project) {
  const [broadcastId, jobId] = [randomUUID(), randomUUID()];
  await pool.query(
    `insert into broadcast (id, project_id, kind, mode, content, total, send_at, expires_at, created_at)
     values ($1, $2, 'telegram-message', $3, $4, 1, $5, $5::timestamptz + interval '1 day', $5)`,
    [broadcastId, projectId, mode, { text: 'x', buttons: [[{ callback_data: LIKE_A_TIME }]] }, clock.now],
  );
  await pool.query(
    `insert into job (id, kind, project_id, mode, subject_id, payload, labels, run_at, deadline_at, accepted_at, chat_id, scheduled_at)
     values ($1, 'telegram-message', $2, $3, $4, '{}', '{"project": "p", "to": "•••95"}', $5, $5::timestamptz + interval '1 day', $5, $6, $5)`,
    [jobId, projectId, mode, broadcastId, clock.now, CHAT],
  );
  return { broadcastId, jobId };
}

async function finishBroadcast(bench: Bench, project: Project) {
  const { broadcastId } = await addMessage(bench, project);
  await bench.pool.query(`update broadcast set state = 'finished', finished_at = $2 where id = $1`, [
    broadcastId,
    bench.clock.now,
  ]);
}

async function pressButton(bench: Bench, project: Project) {
  const { pool, clock } = bench;
  const { jobId } = await addMessage(bench, project);
  await pool.query(
    `insert into attempt (job_id, n, project_id, provider, opened_at, closed_at, outcome, provider_reference)
     values ($1, 1, $2, 'telegram-bot', $3, $3, 'completed', $4)`,
    [jobId, project.projectId, clock.now, String(MESSAGE)],
  );
  const under = { chatId: CHAT, messageId: MESSAGE, data: LIKE_A_TIME };
  expect(await buttonPresses(pool).tell({ queryId: '99', userId: CHAT, under }, clock.now)).toBe(true);
}

async function moveGroup({ pool, clock }: Bench, { projectId }: Project) {
  const group = -4_711;
  await pool.query(
    `insert into recipient (id, project_id, handle, address_hash, telegram_chat_id, created_at, updated_at) values ($1, $2, 'class-7', sha256('class-7'), $3, $4, $4)`,
    [randomUUID(), projectId, group, clock.now],
  );
  await telegramChats(pool).move(String(group), '-1000000004711', clock.now);
}

async function changePreferences({ pool, clock }: Bench, { projectId }: Project) {
  const recipientId = randomUUID();
  await pool.query(
    `insert into recipient (id, project_id, handle, address_hash, created_at, updated_at) values ($1, $2, 'aziza', sha256('aziza'), $3, $3)`,
    [recipientId, projectId, clock.now],
  );
  const change = { categories: { news: false }, quiet_hours: { from: '22:00', to: '07:05' } };
  await preferencesStore(pool, keyedHash(randomUUID())).change(
    projectId as ProjectId,
    recipientId,
    change,
    'page',
    clock.now,
  );
}

/** `test/infra/postgres/verify/budgets.test.ts` sees when. */
async function spendHalf({ pool, clock }: Bench, { projectId }: Project) {
  const day = clock.now.toISOString().slice(0, 10);
  await pool.query('insert into paid_spend (project_id, day, spent_micros) values ($1, $2, 5)', [
    projectId,
    day,
  ]);
  const data = { budget_micros: 9, spent_micros: 5, publishable_spent_micros: 0 };
  await pool.query(tellHalfSpent, [JSON.stringify([{ project_id: projectId, data }]), day, clock.now]);
}

test('an event of every type comes with exactly the members that are documented, and its times as everywhere', async () => {
  const bench = await webhookBench();
  const receiver = await startReceiver();
  const project = await bench.addProject();
  await bench.addEndpoint(project, receiver.url);
  await makeEverythingHappen(bench, project);
  // A test goes to its own endpoint alone.
  const { rows } = await bench.pool.query<{ type: string; data: Record<string, unknown> }>(
    'select type, mode, data, happened_at from webhook_event where project_id = $1',
    [project.projectId],
  );
  expect(new Set(rows.map(({ type }) => type))).toEqual(new Set(eventTypes));
  await bench.pool.query(
    `update job set payload = jsonb_set(payload, '{endpoint_id}', (select to_jsonb(id) from webhook_endpoint where project_id = $1 and disabled_at is null))
     where project_id = $1 and kind = 'webhook'`,
    [project.projectId],
  );
  // One after another: an endpoint has room for a few at a time.
  for (const { id } of await bench.jobRows(project)) await bench.wake(id, new AbortController().signal);
  const received = receiver.received.map(({ body }) => JSON.parse(body) as { type: string; data: object });
  expect(new Set(received.map(({ type }) => type))).toEqual(new Set(eventTypes));
  expect(receiver.received.flatMap(({ body }) => faultsOfEvent(body))).toEqual([]);
  const pressed = received.find(({ type }) => type === 'telegram.callback');
  expect(pressed?.data, 'what the project wrote stays as it is').toMatchObject({ data: LIKE_A_TIME });
});
