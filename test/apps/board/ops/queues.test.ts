import { describe, expect, test } from 'vitest';
import { openOps } from './open-ops.ts';

const { board, operator, viewer, seed, text } = await openOps();

describe('a pause', () => {
  test('shows what it costs and asks why before it is made; the reason is audited, and shown until it ends', async () => {
    await seed();
    const queues = await text('/ops/queues');
    expect(queues).toContain('href="/ops/queues/otp-send/pause"');
    expect(queues).not.toContain('action="/ops/queues/otp-send/pause"');
    const ask = await text('/ops/queues/otp-send/pause');
    expect(ask).toContain('<dd>1<small>of every project');
    expect(ask).toMatch(/name="why" required/);
    expect((await operator.post('/ops/queues/otp-send/pause')).status).toBe(400);
    expect((await operator.post('/ops/queues/otp-send/pause', { why: 'pumping' })).status).toBe(303);
    expect((await board.audit()).at(-1)).toMatchObject({
      action: 'queue.pause',
      detail: { outcome: 'done', why: 'pumping' },
    });
    expect(await text('/ops/queues')).toContain('pumping');
    expect((await operator.post('/ops/queues/otp-send/resume')).status).toBe(303);
    expect(await text('/ops/queues')).not.toContain('pumping');
    expect((await viewer.get('/ops/queues/otp-send/pause')).status).toBe(403);
  });
});
