import request from 'supertest';
import { describe, expect, test } from 'vitest';
import { openEcho } from './open-echo.ts';

const { api, key } = await openEcho();

describe('an address', () => {
  test('that is unknown is a 404 problem, with the guarding headers of every answer', async () => {
    const { body, headers } = await request(api.app).get('/nowhere').expect(404);
    expect(body).toMatchObject({ status: 404, title: 'Not found' });
    expect(headers).toMatchObject({ 'x-content-type-options': 'nosniff', 'cache-control': 'no-store' });
    expect(headers['content-security-policy']).toContain("default-src 'none'");
    expect(headers).not.toHaveProperty('x-powered-by');
  });

  test('asked with another method says which there are', async () => {
    const { headers } = await request(api.app).get('/echo/1').expect(405);
    expect(headers['allow']).toBe('POST, OPTIONS');
    await request(api.app).options('/echo/1').expect(204).expect('Allow', 'POST, OPTIONS');
    await request(api.app).head('/broken').set('X-Api-Key', key).expect(500);
  });
});
