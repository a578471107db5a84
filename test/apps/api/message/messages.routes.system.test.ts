import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { type Navbat, startNavbat, type TestProject, until } from '../../../support/navbat.ts';

let navbat: Navbat;
let project: TestProject;

beforeAll(async () => {
  navbat = await startNavbat({ env: { TELEGRAM_MESSAGES_PER_SECOND: '290', TELEGRAM_CHAT_GAP_MS: '100' } });
  project = await navbat.createProject();
});
afterAll(() => navbat.stop());

const finished = (id: string) =>
  until(async () => {
    const { body } = await project.call('GET', `/broadcasts/${id}`);
    return body.progress.waiting === 0 && body;
  });

describe('a Telegram message', () => {
  test('to one chat arrives, with its buttons', async () => {
    const to = { chat_id: 7_001 };
    const sent = await project.call('POST', '/telegram/send', {
      to,
      text: '<b>salom</b> & xayr',
      buttons: [[{ text: 'Ochish', url: 'https://navbat.example' }]],
    });
    expect(sent).toMatchObject({ status: 202, body: { total: 1, job_id: expect.any(String) } });
    const message = await navbat.sandbox.waitForMessage({ to: '7001' });
    expect(message.text).toBe('<b>salom</b> & xayr');
    expect(await finished(sent.body.id)).toMatchObject({
      state: 'finished',
      progress: { sent: 1, failed: 0, blocked: 0 },
    });
    const job = await project.call('GET', `/jobs/${sent.body.job_id}`);
    expect(job.body).toMatchObject({
      kind: 'telegram-message',
      state: 'completed',
      attempts: [{ channel: 'telegram', outcome: 'completed' }],
    });
  });

  test('to many is one job each; who blocked the bot is marked, and is not asked again', async () => {
    navbat.sandbox.orderFaults({ channel: 'telegram', to: '7102', effect: 'reject', code: 'blocked' });
    const to = [7_101, 7_102, 7_103].map((chat_id) => ({ chat_id }));
    const sent = await project.call('POST', '/telegram/send', { to, text: 'yangilik' });
    expect(sent).toMatchObject({ status: 202, body: { total: 3, job_id: null } });
    expect(await finished(sent.body.id)).toMatchObject({ progress: { sent: 2, blocked: 1, failed: 0 } });
    const calls = () => navbat.sandbox.calls({ to: '7102' }).length;
    const before = calls();
    const again = await project.call('POST', '/telegram/send', { to: { chat_id: 7_102 }, text: 'yana' });
    expect(await finished(again.body.id)).toMatchObject({ progress: { blocked: 1 } });
    expect(calls()).toBe(before);
  });

  test('to a chat that Telegram cannot have is refused at its field, alone or among others', async () => {
    for (const chat_id of [0, 2 ** 53])
      for (const to of [{ chat_id }, [{ chat_id: 7_004 }, { chat_id }]]) {
        const sent = await project.call('POST', '/telegram/send', { to, text: 'salom' });
        // What is no integer at all is told of the whole `to`, which could be anything.
        const pointer = expect.stringMatching(/^\/to(\/1)?(\/chat_id)?$/);
        expect(sent).toMatchObject({ status: 400, body: { errors: [{ pointer }] } });
        expect(sent.body.errors[0].detail).toContain('above 0 for a person');
      }
  });

  test('of more than 4096 characters is refused with its field', async () => {
    const sent = await project.call('POST', '/telegram/send', {
      to: { chat_id: 7_002 },
      text: 'x'.repeat(4_097),
    });
    expect(sent).toMatchObject({ status: 400, body: { errors: [{ pointer: '/text' }] } });
  });

  test('with a dedupe key is sent once, however often it is asked for', async () => {
    const body = { to: { chat_id: 7_003 }, text: 'bir marta', dedupe_key: 'order-17' };
    const [first, ...others] = await Promise.all(
      Array.from({ length: 5 }, () => project.call('POST', '/telegram/send', body)),
    );
    for (const reply of others) expect(reply).toMatchObject({ status: 202, body: first?.body });
    await finished(first?.body.id);
    expect(navbat.sandbox.inbox({ to: '7003' })).toHaveLength(1);
  });

  test('ordered for later waits, and one that expires first is never sent', async () => {
    const sendAt = new Date(Date.now() + 2_000).toISOString();
    const later = await project.call('POST', '/telegram/send', {
      to: { chat_id: 7_004 },
      text: 'keyin',
      send_at: sendAt,
    });
    const message = await navbat.sandbox.waitForMessage({ to: '7004' });
    expect(Date.parse(String(message.received_at))).toBeGreaterThanOrEqual(Date.parse(sendAt) - 50);
    expect(await finished(later.body.id)).toMatchObject({ progress: { sent: 1 } });
  });

  test('can be paused, resumed and cancelled while it waits', async () => {
    const far = new Date(Date.now() + 60_000).toISOString();
    const { body } = await project.call('POST', '/telegram/send', {
      to: [{ chat_id: 7_005 }, { chat_id: 7_006 }],
      text: 'kutadi',
      send_at: far,
    });
    expect(await project.call('POST', `/broadcasts/${body.id}/pause`, {})).toMatchObject({
      status: 200,
      body: { state: 'paused' },
    });
    expect(await project.call('POST', `/broadcasts/${body.id}/resume`, {})).toMatchObject({
      status: 200,
      body: { state: 'sending' },
    });
    expect(await project.call('POST', `/broadcasts/${body.id}/cancel`, {})).toMatchObject({
      status: 200,
      body: { state: 'cancelled', progress: { waiting: 0 } },
    });
    expect(await project.call('POST', `/broadcasts/${body.id}/resume`, {})).toMatchObject({ status: 409 });
  });
});

describe('a push', () => {
  test('reaches a token, an installation, a recipient of either and a topic', async () => {
    const recipient = await project.call('PUT', '/recipients', {
      handle: 'aziza',
      push_token: 'device-of-aziza',
    });
    const installed = await project.call('PUT', '/recipients', {
      handle: 'gulnora',
      installation_id: 'installation-of-gulnor',
    });
    for (const [to, inbox] of [
      [{ token: 'device-one' }, 'device-one'],
      [{ recipient_id: recipient.body.id }, 'device-of-aziza'],
      [{ recipient_id: installed.body.id }, 'installation-of-gulnor'],
      [{ installation_id: 'installation-of-kamola' }, 'installation-of-kamola'],
      [{ topic: 'news' }, '/topics/news'],
    ] as const) {
      const sent = await project.call('POST', '/push/send', {
        to,
        notification: { title: 'Salom', body: 'dunyo' },
      });
      expect(sent.status, JSON.stringify(sent.body)).toBe(202);
      expect(await finished(sent.body.id), inbox).toMatchObject({ progress: { sent: 1 } });
    }
    const arrived = navbat.sandbox.inbox({ channel: 'push' });
    expect(arrived.map(({ to, details }) => [to, details['fid'] !== undefined])).toEqual([
      ['device-one', false],
      ['device-of-aziza', false],
      ['installation-of-gulnor', true],
      ['installation-of-kamola', true],
      ['/topics/news', false],
    ]);
  });

  test.each([{ push_token: 'device-of-bek' }, { installation_id: 'installation-of-bek-jo' }])(
    'prunes %j on the final codes only',
    async (address) => {
      const [to] = Object.values(address);
      const { body } = await project.call('PUT', '/recipients', { handle: to, ...address });
      navbat.sandbox.orderFaults({
        channel: 'push',
        to: String(to),
        effect: 'reject',
        code: 'UNREGISTERED',
      });
      const sent = await project.call('POST', '/push/send', {
        to: { recipient_id: body.id },
        notification: { title: 'Salom' },
      });
      expect(await finished(sent.body.id)).toMatchObject({ progress: { blocked: 1 } });
      expect((await project.call('GET', `/recipients/${body.id}`)).body).toMatchObject({
        has_push_token: false,
      });
    },
  );

  test('without notification and data is refused', async () => {
    expect(await project.call('POST', '/push/send', { to: { token: 't' } })).toMatchObject({
      status: 400,
      body: { errors: [{ pointer: '/notification' }] },
    });
  });
});

test('another project’s recipient is unknown', async () => {
  const { body } = await project.call('PUT', '/recipients', { handle: 'vali', telegram_chat_id: 7_900 });
  const other = await navbat.createProject();
  expect(
    await other.call('POST', '/telegram/send', { to: { recipient_id: body.id }, text: 'x' }),
  ).toMatchObject({ status: 404 });
});
