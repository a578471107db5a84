import { describe, expect, test } from 'vitest';
import { PHONE, openOps } from './open-ops.ts';

const { board, operator, shop, seed } = await openOps();

describe('what anybody wrote', () => {
  const hostile = `"><script>alert(1)</script><img src=x onerror='alert(2)'>`;

  test('stays text on every page', async () => {
    const { id } = await seed({
      state: 'rejected',
      reason: hostile,
      attempts: [
        {
          channel: hostile,
          provider: hostile,
          outcome: 'rejected',
          reason: hostile,
          reference: hostile,
          delivery: 'failed',
          deliveryReason: hostile,
        },
      ],
    });
    await board.owner.query('update project set slug = $2 where id = $1', [shop, hostile]);
    await board.owner.query(`update job set labels = $1, request_id = $2`, [
      JSON.stringify({ project: hostile, channels: hostile, to: hostile }),
      hostile,
    ]);
    await board.owner.query('update verification set purpose = $1', [hostile]);
    const query = encodeURIComponent(hostile);
    const paths = [
      '/ops',
      '/ops/jobs',
      `/ops/jobs?text=${query}&project=${query}&reason=${query}`,
      `/ops/jobs/${id}`,
      '/ops/failures',
      `/ops/failures?project=${query}`,
      `/ops/recipients/${board.addressHash(PHONE).toString('hex')}`,
      `/ops/retry?reason=${query}`,
      `/ops/audit?actor=${query}`,
      `/ops/jobs/${id}?notice=${query}`,
      `/nothing/${query}`,
      `/login?next=${query}`,
    ];
    for (const path of paths) {
      const { text, headers } = await operator.get(path).set('Accept', 'text/html');
      expect([path, /<script|<img src=x|onerror='/.test(text)]).toEqual([path, false]);
      expect(headers['content-security-policy']).toMatch(/default-src 'none'/);
    }
    expect((await operator.get(`/ops/jobs/${id}`)).text).toContain('&lt;script&gt;');
  });
});
