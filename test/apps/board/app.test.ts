import supertest from 'supertest';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { openBoard, type OpenBoard } from './open-board.ts';

let board: OpenBoard;
beforeAll(async () => {
  board = await openBoard();
});
afterAll(() => board.close());

describe('without a session', () => {
  test.each([
    '/',
    '/queue/otp-send',
    '/static/css/main.css',
    '/ops',
    '/ops/jobs?state=rejected',
    '/ops/audit',
    '/nothing',
  ])('people at %s are sent to the login and back', async (path) => {
    const answer = await supertest(board.url).get(path).set('Accept', 'text/html');
    expect(answer.status).toBe(303);
    expect(answer.headers['location']).toBe(`/login?next=${encodeURIComponent(path)}`);
  });

  test('programs and Bull Board itself get 401', async () => {
    expect((await supertest(board.url).get('/ops').set('Accept', 'application/json')).status).toBe(401);
    expect((await supertest(board.url).get('/api/queues')).status).toBe(401);
    expect(
      (await supertest(board.url).put('/api/queues/otp-send/pause').set('Origin', board.url)).status,
    ).toBe(401);
  });

  test('health answers', async () => {
    const { status, body } = await supertest(board.url).get('/health');
    expect([status, body]).toEqual([200, { status: 'up', postgres: 'up', redis: 'up' }]);
  });
});
