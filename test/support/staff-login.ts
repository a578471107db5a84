import { z } from 'zod';
import { type Authenticator, authenticator } from './authenticator.ts';

/** A member of staff who logged in for the first time, and all that they were shown. */
export interface LoggedIn {
  /** For a `Cookie` header. */
  readonly cookie: string;
  /** What the cookie was after the password alone. */
  readonly pendingCookie: string;
  readonly authenticator: Authenticator;
  readonly recoveryCodes: readonly string[];
}

const Offer = z.object({ second_factor: z.literal('set-up'), secret: z.string() });
const Opened = z.object({ recovery_codes: z.array(z.string()) });

/** As a program does it over HTTP: the password, the set-up of the second factor, and its first code. */
export async function logInForTheFirstTime(
  boardUrl: string,
  email: string,
  password: string,
): Promise<LoggedIn> {
  const ask = async (path: string, cookie: string, body?: object): Promise<Response> => {
    const answer = await fetch(boardUrl + path, {
      method: body ? 'POST' : 'GET',
      headers: {
        Accept: 'application/json',
        'Content-Type': 'application/json',
        Origin: boardUrl,
        Cookie: cookie,
      },
      ...(body ? { body: JSON.stringify(body) } : {}),
    });
    if (answer.status !== 200) throw new Error(`${path} answered ${answer.status}: ${await answer.text()}`);
    return answer;
  };
  const pendingCookie = cookieOf(await ask('/login', '', { email, password }));
  const { secret } = Offer.parse(await (await ask('/login/second-factor', pendingCookie)).json());
  const app = authenticator(secret);
  const opened = await ask('/login/second-factor', pendingCookie, { code: await app.freshCode(new Date()) });
  return {
    cookie: cookieOf(opened),
    pendingCookie,
    authenticator: app,
    recoveryCodes: Opened.parse(await opened.json()).recovery_codes,
  };
}

const cookieOf = (answer: Response): string => answer.headers.getSetCookie()[0]?.split(';')[0] ?? '';
