import supertest from 'supertest';
import { afterAll } from 'vitest';
import { type Member, openBoard, PASSWORD } from './open-board.ts';

export const cookieOf = (answer: supertest.Response) => answer.headers['set-cookie']?.[0] ?? '';
export const valueOf = (cookie: string) => cookie.split(';')[0] ?? '';
export const formTokenOf = (page: supertest.Response) =>
  /name="token" value="([^"]+)"/.exec(page.text)?.[1] ?? '';

/** A board of this file's own, and its login page as a browser uses it. */
export async function openLogin() {
  // One proxy, so that each test may come from an address of its own.
  const board = await openBoard({ proxies: 1 });
  afterAll(() => board.close());

  let addresses = 0;
  const newAddress = () => `192.0.2.${++addresses}`;

  const logIn = (email: string, password: string, from = newAddress()) =>
    supertest(board.url)
      .post('/login')
      .set('Origin', board.url)
      .set('X-Forwarded-For', from)
      .type('form')
      .send({ email, password, next: '/ops' });

  const showFactor = async (pending: string, code: string, from = newAddress()) => {
    const page = await supertest(board.url).get('/login/second-factor').set('Cookie', pending);
    return supertest(board.url)
      .post('/login/second-factor')
      .set('Cookie', pending)
      .set('Origin', board.url)
      .set('X-Forwarded-For', from)
      .type('form')
      .send({ code, token: formTokenOf(page), next: '/ops' });
  };

  /** The whole way: the password, and a code of their authenticator. */
  const enter = async ({ email, app }: Pick<Member, 'email' | 'app'>, formerCookie = '') => {
    const pending = valueOf(cookieOf(await logIn(email, PASSWORD).set('Cookie', formerCookie)));
    return showFactor(pending, await app.freshCode(board.time.now));
  };

  const ops = (cookie: string) => supertest(board.url).get('/ops').set('Cookie', cookie);

  const later = async (milliseconds: number, work: () => Promise<void>) => {
    const before = board.time.now;
    board.time.now = new Date(before.getTime() + milliseconds);
    await work();
    board.time.now = before;
  };
  return { board, newAddress, logIn, showFactor, enter, ops, later };
}
