import supertest from 'supertest';
import { expect, test } from 'vitest';
import { cookieOf, formTokenOf, openLogin, valueOf } from './log-in.ts';
import { PASSWORD } from './open-board.ts';

const { board, logIn, showFactor } = await openLogin();

const account = (cookie: string) => supertest(board.url).get('/account').set('Cookie', cookie);

const rowsOf = async (email: string) =>
  (await board.audit())
    .filter(({ subject }) => subject === email)
    .map(({ action, detail: { address: _address, ...detail } }) => [action, detail]);

test('ten new recovery codes are made for a code of the authenticator, and not for a recovery code', async () => {
  const member = await board.createMember('viewer');
  const cookie = `navbat_staff=${member.token}`;
  const [old = ''] = member.recoveryCodes;
  const passwordOf = async () => valueOf(cookieOf(await logIn(member.email, PASSWORD)));
  const renew = async (code: string) => {
    const page = await account(cookie);
    return supertest(board.url)
      .post('/account/recovery-codes')
      .set('Cookie', cookie)
      .set('Origin', board.url)
      .type('form')
      .send({ code, token: formTokenOf(page) });
  };
  expect((await renew(old)).status).toBe(403);
  expect((await renew('')).status).toBe(403);
  const made = await renew(await member.app.codeAt(board.time.now));
  const codes = [...made.text.matchAll(/<li>([A-Z2-7-]{19})<\/li>/g)].map(([, code = '']) => code);
  expect(codes).toHaveLength(10);
  expect(codes).not.toContain(old);
  expect((await account(cookie)).text).not.toContain(codes[0]);
  expect((await showFactor(await passwordOf(), old)).status).toBe(401);
  expect((await showFactor(await passwordOf(), codes[0] ?? '')).headers['location']).toBe('/account');
  expect((await rowsOf(member.email)).slice(0, 3)).toEqual([
    ['second-factor.new-codes', { outcome: 'refused', reason: 'wrong' }],
    ['second-factor.new-codes', { outcome: 'refused', reason: 'malformed' }],
    ['second-factor.new-codes', { outcome: 'done' }],
  ]);
});
