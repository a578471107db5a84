import { randomBytes } from 'node:crypto';
import { PLATFORM_PROJECT_ID } from '../../domain/project/platform.ts';
import { type Navbat, type TestProject, until } from './navbat.ts';
import type { PhoneSession } from './phone.ts';

/** Navbat's own app: a key of Navbat's own project, publishable unless said otherwise. */
export async function platformApp(
  navbat: Navbat,
  mode: 'live' | 'test' = 'live',
  access: 'publishable' | 'secret' = 'publishable',
): Promise<TestProject> {
  const scopes = access === 'publishable' ? ['public'] : ['public', 'otp'];
  const app = await navbat.createProject({ access, scopes, mode });
  await navbat.db.query('update api_key set project_id = $1 where project_id = $2', [
    PLATFORM_PROJECT_ID,
    app.id,
  ]);
  return { ...app, id: PLATFORM_PROJECT_ID };
}

/** The code in the message that `act` brings about. */
export async function codeAfter(
  { sandbox }: Pick<Navbat, 'sandbox'>,
  to: string,
  act: () => Promise<unknown>,
): Promise<string> {
  const before = sandbox.inbox({ to }).length;
  await act();
  return until(async () => {
    const codes = sandbox
      .inbox({ to })
      .slice(before)
      .map(({ text }) => /\b\d{6}\b/.exec(text)?.[0]);
    // What the bot says beside it may come before or after.
    return codes.findLast((code) => code !== undefined);
  });
}

/** Somewhere in the world: as many people as tests need, each at home. */
export const fromHome = () => ({ 'X-Forwarded-For': [10, ...randomBytes(3)].join('.') });

let nextNumber = 1_000;
/** Nobody's yet, in any file that this process runs. */
export const newNumber = () => `+99890777${nextNumber++}`;

/** Signs a person in to `project` with a code to their phone. */
export async function signInByCode(
  navbat: Navbat,
  project: TestProject,
  phone: string,
): Promise<PhoneSession> {
  let asked = {};
  const code = await codeAfter(navbat, phone, async () => {
    const sent = await project.call('POST', '/auth/code', { phone }, fromHome());
    if (sent.status !== 202) throw new Error(`no code was sent: ${JSON.stringify(sent.body)}`);
    const { id, check_token } = sent.body;
    asked = { id, check_token };
  });
  const reply = await project.call('POST', '/auth/code/verify', { ...asked, code });
  if (reply.status !== 200) throw new Error(`the code did not sign in: ${JSON.stringify(reply.body)}`);
  return reply.body;
}
