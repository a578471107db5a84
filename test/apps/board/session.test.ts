import supertest from 'supertest';
import { describe, expect, test } from 'vitest';
import { SESSION_HOURS } from '../../../domain/staff/session.ts';
import { cookieOf, formTokenOf, openLogin, valueOf } from './log-in.ts';
import type { Member } from './open-board.ts';

const { board, enter, ops, later } = await openLogin();

describe('a session', () => {
  const sessionOf = async (member: Member) => valueOf(cookieOf(await enter(member)));

  test('lives for twelve hours and not a second longer', async () => {
    const cookie = await sessionOf(await board.createMember('viewer'));
    await later(SESSION_HOURS * 3_600_000 - 1_000, async () => {
      expect((await ops(cookie)).status).toBe(200);
    });
    await later(SESSION_HOURS * 3_600_000, async () => {
      expect((await ops(cookie)).status).toBe(303);
    });
  });

  test('ends with its logout, and with the next login of the same browser', async () => {
    const member = await board.createMember('viewer');
    const first = await sessionOf(member);
    const second = valueOf(cookieOf(await enter(member, first)));
    expect((await ops(first)).status).toBe(303);
    expect((await ops(second)).status).toBe(200);

    const page = await supertest(board.url).get('/logout').set('Cookie', second);
    const token = formTokenOf(page);
    const left = await supertest(board.url)
      .post('/logout')
      .set('Cookie', second)
      .set('Origin', board.url)
      .type('form')
      .send({ token });
    expect(left.headers['location']).toBe('/login');
    expect((await ops(second)).status).toBe(303);
  });

  test('of a disabled account ends at once', async () => {
    const member = await board.createMember('admin');
    const { id } = member;
    const cookie = await sessionOf(member);
    await board.pool.query('update staff set disabled_at = $2 where id = $1', [id, board.time.now]);
    expect((await ops(cookie)).status).toBe(303);
  });

  test('takes the role of now, not that of the login', async () => {
    const member = await board.createMember('admin');
    const { id } = member;
    const cookie = await sessionOf(member);
    await board.owner.query(`update staff set role = 'viewer' where id = $1`, [id]);
    const answer = await supertest(board.url)
      .put('/api/queues/otp-send/pause')
      .set('Cookie', cookie)
      .set('Origin', board.url);
    expect(answer.status).toBe(403);
  });
});
