import { createHmac } from 'node:crypto';
import { z } from 'zod';
import { json, type Answer } from '../../http.ts';
import { type Desk, type Outcome, underFault } from './desk.ts';
import type { Incoming } from './incoming.ts';
import { railTime, refused } from './models.ts';

/** 24 h, as Multicard's. */
const LIFE_MS = 86_400_000;

const Login = z.object({ application_id: z.string(), secret: z.string() });

/** `POST /auth`. A token says by itself when it was given, so that it outlives a restart. */
export const logIn = (desk: Desk, { body }: Incoming): Promise<Outcome> =>
  underFault(desk, 'auth', [], (): Answer => {
    const login = Login.safeParse(body).data;
    const { applicationId, secret } = desk.account;
    if (login?.application_id !== applicationId || login.secret !== secret)
      return json(400, { errors: [{ message: [{ message: 'Invalid Credentials' }] }] });
    const givenAt = desk.clock().getTime();
    const token = `${givenAt.toString(36)}.${signatureOf(givenAt.toString(36), secret)}`;
    return json(200, { token, role: 'sandbox', expiry: railTime(givenAt + LIFE_MS) });
  });

/** The refusal of a call whose token is not good; undefined: it is. */
export function refusalOf({ rail, clock, account }: Desk, { authorization }: Incoming): Answer | undefined {
  const [given = '', signature = ''] = authorization.replace(/^Bearer /, '').split('.');
  const givenAt = Number.parseInt(given, 36);
  const isGood =
    signature === signatureOf(given, account.secret) &&
    givenAt > rail.tokensExpiredAt &&
    clock().getTime() < givenAt + LIFE_MS;
  return isGood ? undefined : { ...refused('ERROR_ACCESS_DENIED', 'Jwt is expired'), status: 401 };
}

const signatureOf = (text: string, secret: string): string =>
  createHmac('sha256', `token ${secret}`).update(text).digest('base64url');
