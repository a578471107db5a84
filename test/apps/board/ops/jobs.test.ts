import { describe, expect, test } from 'vitest';
import { v7 as uuidv7 } from 'uuid';
import { type SessionOwner } from '../open-board.ts';
import { MINUTE_MS, ids, openOps } from './open-ops.ts';

const { board, operator, viewer, shop, ago, seed, statesOf, text } = await openOps();

describe('the list', () => {
  test('is paged without losing or repeating a line', async () => {
    const all: string[] = [];
    for (let n = 0; n < 13; n++) all.push((await seed({ at: ago(n * 1_000) })).id);
    const seen: string[] = [];
    let cursor = '';
    do {
      const page = await viewer.json(`/ops/jobs?limit=5&cursor=${cursor}`);
      seen.push(...ids(page));
      cursor = page.next_cursor;
    } while (cursor);
    expect(seen).toEqual(all);
  });
});

describe("a job's page", () => {
  test('shows its attempts with provider, reference, reason, cost and latency, and what it serves', async () => {
    const { id, verificationId } = await seed({
      state: 'rejected',
      reason: 'number-unreachable',
      attempts: [
        { channel: 'telegram', provider: 'telegram-bot', outcome: 'rejected', reason: 'bot-blocked' },
        {
          channel: 'sms',
          provider: 'twilio',
          outcome: 'rejected',
          reason: 'number-unreachable',
          reference: 'SM1',
          delivery: 'failed',
          deliveryReason: '30003',
        },
      ],
    });
    const job = await viewer.json(`/ops/jobs/${id}`);
    expect(job).toMatchObject({
      id,
      state: 'rejected',
      reason: 'number-unreachable',
      labels: { to: '+998•••••••67' },
    });
    expect(
      job.attempt_lines.map(({ n, provider, reason }: Record<string, unknown>) => [n, provider, reason]),
    ).toEqual([
      [1, 'telegram-bot', 'bot-blocked'],
      [2, 'twilio', 'number-unreachable'],
    ]);
    expect(job.attempt_lines[1]).toMatchObject({
      provider_reference: 'SM1',
      cost_micros: '52000',
      cost_currency: 'USD',
      latency_ms: 270,
      delivery: 'failed',
      delivery_reason: '30003',
    });
    expect(job.verification).toMatchObject({
      id: verificationId,
      state: 'live',
      checks_used: 0,
      checks_max: 5,
    });
    const page = await viewer.get(`/ops/jobs/${id}`).set('Accept', 'text/html');
    for (const shown of ['bot-blocked', 'SM1', '0.0520 USD', '270 ms']) expect(page.text).toContain(shown);
  });

  test('offers a command only where it fits the job and the role', async () => {
    const { id: failed } = await seed({ state: 'rejected' });
    const { id: waiting } = await seed();
    const actions = async (owner: SessionOwner, id: string) =>
      [...(await owner.get(`/ops/jobs/${id}`)).text.matchAll(/action="\/ops\/jobs\/[^/]+\/(\w+)"/g)].map(
        ([, action]) => action,
      );
    expect(await actions(operator, failed)).toEqual(['retry']);
    expect(await actions(operator, waiting)).toEqual(['promote', 'cancel']);
    expect(await actions(viewer, waiting)).toEqual([]);
  });

  test('carries out retry and cancel, and says why it does not', async () => {
    const { id } = await seed({ state: 'rejected' });
    const retried = await operator.post(`/ops/jobs/${id}/retry`);
    expect([retried.status, retried.headers['location']]).toEqual([303, `/ops/jobs/${id}?notice=retried`]);
    expect((await operator.get(retried.headers['location'] ?? '')).text).toContain('accepted again');
    const again = await operator.postJson(`/ops/jobs/${id}/retry`, {});
    expect([again.status, again.body.type]).toEqual([409, 'urn:navbat:problem:not-retriable']);
    expect((await operator.postJson(`/ops/jobs/${id}/cancel`, {})).body).toEqual({ done: true, told: true });
    expect(await statesOf()).toEqual({ cancelled: 1 });
  });

  test('of nobody is 404', async () => {
    for (const id of [uuidv7(), 'nonsense']) expect((await viewer.get(`/ops/jobs/${id}`)).status).toBe(404);
  });
});

describe('what a job says', () => {
  test('says what its reason means and what to do next; a retry is offered only where it can work', async () => {
    const later = await seed({ state: 'failed', reason: 'network' });
    const change = await seed({ state: 'rejected', reason: 'landline' });
    const late = await seed({ state: 'failed', reason: 'network', verification: 'expired' });
    const page = await text(`/ops/jobs/${change.id}`);
    expect(page).toContain('The number is a landline');
    expect(page).toContain('Ask for a mobile number');
    expect(await text(`/ops/jobs/${later.id}`)).toContain('<button class="primary">Retry</button>');
    expect(page).not.toContain('>Retry</button>');
    expect(page).toContain('I changed it: retry');
    const tooLate = await text(`/ops/jobs/${late.id}`);
    expect(tooLate).not.toMatch(/retry<\/button>/i);
    expect(tooLate).toContain('The job is no longer needed');
  });

  test('that ended before anything was sent says so, and one that waits for a worker says that', async () => {
    const rejected = await seed({ state: 'rejected', reason: 'payload-unreadable' });
    expect(await text(`/ops/jobs/${rejected.id}`)).toContain('No attempt was made');
    expect(await text(`/ops/jobs/${(await seed()).id}`)).toContain('no worker has opened this job');
  });

  test('that sleeps until its next try is retrying, and one at which a worker is runs', async () => {
    const failed = { channel: 'sms', provider: 'twilio', outcome: 'failed', reason: 'network' } as const;
    const runAt = new Date(board.time.now.getTime() + MINUTE_MS);
    const sleeps = await seed({ state: 'retrying', runAt, attempts: [failed] });
    const runs = await seed({
      state: 'running',
      attempts: [failed, { ...failed, outcome: null, reason: null }],
    });
    const page = await text(`/ops/jobs/${sleeps.id}`);
    expect(page).toContain('<span class="state retrying">retrying</span> <span class="note">next at');
    expect(page).toContain(runAt.toISOString());
    expect(await text(`/ops/jobs/${runs.id}`)).toContain('<span class="state running">running</span>');
    expect(await text('/ops/jobs')).toContain('retrying');
  });

  test('that a blocked prefix refused says until when', async () => {
    const { id, verificationId } = await seed({ state: 'rejected', reason: 'prefix-blocked' });
    await board.owner.query(`update verification set phone_prefix = '+99890123' where id = $1`, [
      verificationId,
    ]);
    await board.owner.query(
      `insert into prefix_score (project_id, prefix, sent, verified, at) values ($1, '+99890123', 20, 0, $2)`,
      [shop, board.time.now],
    );
    const until = new Date(Math.ceil((board.time.now.getTime() + 60 * MINUTE_MS) / MINUTE_MS) * MINUTE_MS);
    expect(await text(`/ops/jobs/${id}`)).toContain(
      `blocked until ${until.toISOString().slice(0, 16).replace('T', ' ')} UTC`,
    );
  });

  test('that a risk refused names what it is made of', async () => {
    const { id, verificationId } = await seed({ state: 'rejected', reason: 'risk-blocked' });
    await board.owner.query(
      `update verification set phone_prefix = '+99890124', scored_ip = 'ip 1', scored_device = 'device 1' where id = $1`,
      [verificationId],
    );
    await board.owner.query(
      `insert into prefix_score (project_id, prefix, sent, verified, at)
       values ($1, '+99890124', 3, 0, $2), ($1, 'ip 1', 40, 1, $2), ($1, 'device 1', 6, 0, $2)`,
      [shop, board.time.now],
    );
    expect(await text(`/ops/jobs/${id}`)).toContain(
      '40 numbers from this IP address, 1 confirmed; 6 numbers from this device, 0 confirmed',
    );
  });
});
