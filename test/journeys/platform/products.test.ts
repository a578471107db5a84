import { randomUUID } from 'node:crypto';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { z } from 'zod';
import { navbatCommand } from '../../support/command-line.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';
import { logInForTheFirstTime } from '../../support/staff-login.ts';

/** `NAVBAT_PRODUCTS`: what is off is not served, documented, worked on or shown; the rest is as it was. */

const Document = z.object({
  paths: z.record(z.string(), z.unknown()),
  tags: z.array(z.object({ name: z.string() })),
  webhooks: z.record(z.string(), z.unknown()),
});
const QueuesOf = z.object({ data: z.array(z.object({ kind: z.string() })) });
const Overview = z.object({ alarms: z.array(z.object({ alarm: z.string(), subject: z.string() })) });

const halves = [
  {
    on: 'message',
    kinds: ['telegram-message', 'push', 'webhook'],
    served: [
      '/push/send',
      '/telegram/chats',
      '/recipients',
      '/webhooks/endpoints',
      '/auth/refresh',
      '/me/devices',
    ],
    gone: [
      '/otp/send',
      '/api/send-otp/',
      '/register',
      '/auth/code',
      '/me/enrolments',
      '/devices',
      '/me/challenges',
    ],
    told: 'broadcast.finished',
    notTold: 'verification.approved',
  },
  {
    on: 'verify',
    kinds: ['otp-send', 'webhook'],
    served: ['/otp/send', '/api/send-otp/', '/register', '/auth/code', '/me/challenges', '/recipients'],
    gone: ['/push/send', '/telegram/send', '/broadcasts', '/telegram/chats'],
    told: 'verification.approved',
    notTold: 'broadcast.finished',
  },
] as const;

describe.each(halves)('with $on alone', ({ on, kinds, served, gone, told, notTold }) => {
  let navbat: Navbat;
  let project: TestProject;

  beforeAll(async () => {
    navbat = await startNavbat({ processes: ['api', 'board', 'worker'], env: { NAVBAT_PRODUCTS: on } });
    project = await navbat.createProject();
  });
  afterAll(() => navbat.stop());

  test('its routes are served and documented, and those of the other are not', async () => {
    const { paths, tags, webhooks } = Document.parse(
      await (await fetch(`${navbat.apiUrl}/openapi.json`)).json(),
    );
    expect(Object.keys(paths)).toEqual(expect.arrayContaining([...served]));
    expect(Object.keys(paths).filter((path) => gone.some((one) => path === one))).toEqual([]);
    expect(tags.map(({ name }) => name).includes('Messages')).toBe(on === 'message');
    expect(Object.keys(webhooks)).toContain(told);
    expect(Object.keys(webhooks)).not.toContain(notTold);
    const { data } = (await project.call('GET', '/webhooks/event-types')).body;
    expect(data.map(({ type }: { type: string }) => type).toSorted()).toEqual(
      Object.keys(webhooks).toSorted(),
    );
    for (const path of gone)
      expect([path, (await project.call('POST', path, {})).status]).toEqual([path, 404]);
    for (const path of served)
      expect([path, (await project.call('DELETE', path)).status]).toEqual([path, 405]);
    // A provider's callback belongs to verify: where it is off, POST is no wrong method of a path that is not there.
    const callback = `/callbacks/twilio/${randomUUID()}/1`;
    expect((await project.call('POST', callback, {})).status === 404).toBe(on === 'message');
  });

  test('its worker works on its kinds, and says what is off where that was named', async () => {
    const ready = navbat.log.find((line) => line.includes('"worker ready"')) ?? '{}';
    expect(JSON.parse(ready)).toMatchObject({ roles: [...kinds, 'reconciler'] });
    const other = on === 'message' ? 'otp-send' : 'push';
    await navbat.start('workers/main.ts', [other], 'worker ready');
    expect(navbat.log.some((line) => line.includes(`"roles":[],"off":["${other}"]`))).toBe(true);
  });

  test('the board shows its queues and no alarm of the others', async () => {
    const made = await navbatCommand(
      ['staff', 'create', 'ops@navbat.example', '--role', 'admin', '--json'],
      navbat.env,
    );
    const { password } = z.object({ password: z.string() }).parse(JSON.parse(made.out));
    const { cookie } = await logInForTheFirstTime(navbat.boardUrl, 'ops@navbat.example', password);
    const ask = (path: string, accept = 'application/json') =>
      fetch(navbat.boardUrl + path, { headers: { Cookie: cookie, Accept: accept } });
    const queues = QueuesOf.parse(await (await ask('/ops/queues')).json());
    expect(queues.data.map(({ kind }) => kind)).toEqual(kinds);
    const { alarms } = Overview.parse(await (await ask('/ops')).json());
    expect(alarms.filter(({ alarm }) => alarm === 'no-worker')).toEqual([]);
    expect((await ask('/ops/chats')).status).toBe(200);
  });
});

test('a product that there is not is refused with those that there are', async () => {
  const navbat = await startNavbat({ processes: [] });
  const started = navbat.start('apps/api/main.ts', [], 'api ready', { NAVBAT_PRODUCTS: 'verify,learn' });
  await expect(started).rejects.toThrow(
    /NAVBAT_PRODUCTS: expected any of verify, message, pay, earn, comma separated/,
  );
  await navbat.stop();
});
