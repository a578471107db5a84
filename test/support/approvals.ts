import { generateKeyPairSync, sign } from 'node:crypto';
import canonicalize from 'canonicalize';
import { expect } from 'vitest';
import { keyedHash } from '../../infra/process/crypto.ts';
import { boundPhone, type Curve } from './devices.ts';
import { type Navbat, type Reply, startNavbat, type TestProject, until } from './navbat.ts';
import type { TestPhone } from './phone.ts';
import { newNumber, platformApp, signInByCode } from './platform.ts';

/** A challenge as the app got it; what it signs it takes from there, byte for byte. */
export interface Asked {
  readonly id: string;
  readonly project: { readonly id: string; readonly name: string };
  readonly purpose: string;
  readonly context: object;
  readonly expires_at: string;
}

export type Said =
  | { readonly decision: 'approve'; readonly number: string }
  | { readonly decision: 'deny' | 'report' };

export const statementOf = ({ id, project, purpose, context, expires_at }: Asked, said: Said) => ({
  challenge: id,
  project,
  purpose,
  context,
  decision: said.decision,
  number: said.decision === 'approve' ? said.number : null,
  expires_at,
});

/** A whole Navbat with its own app, and a shop that asks often, and is called back on this machine. */
export async function startWithShop() {
  const navbat = await startNavbat({ env: { WEBHOOK_ALLOW_PRIVATE: 'true' } });
  const app = await platformApp(navbat);
  const shop = await navbat.createProject({ settings: { display_name: 'Shop', sends_per_hour: 100 } });
  return { navbat, app, shop };
}

/** A person with Navbat's app bound to them by its QR code, and the session in which they did it. */
export async function personAndPhone(
  navbat: Navbat,
  app: TestProject,
  curve: Curve = 'Ed25519',
  number = newNumber(),
) {
  const session = await signInByCode(navbat, app, number);
  const phone = await boundPhone(navbat, session, curve, { push_token: pushTokenOf(number) });
  return { number, phone, session };
}

/** The phone of the person of this number. */
export const personWithPhone = async (navbat: Navbat, app: TestProject, number: string): Promise<TestPhone> =>
  (await personAndPhone(navbat, app, 'Ed25519', number)).phone;

export const pushTokenOf = (number: string) => `push-token-of-${number.replace('+', '')}`;

let purposes = 0;
/** A push for approval, and what the 202 says of it. Each purpose has a verification of its own. */
export async function ask(project: TestProject, to: string, more: object = {}): Promise<Reply['body']> {
  const purpose = `approve-${purposes++}`;
  const sent = await project.call('POST', '/otp/send', { to, channels: ['push'], purpose, ...more });
  expect(sent.status, JSON.stringify(sent.body)).toBe(202);
  return sent.body;
}

/** What the app shows for one send; it waits for nothing but the worker. */
export async function fetchChallenge(navbat: Navbat, phone: TestPhone, jobId: string): Promise<Asked> {
  const id = await until(async () => {
    const { rows } = await navbat.db.query('select id from challenge where job_id = $1', [jobId]);
    return rows[0]?.id as string | undefined;
  });
  const { status, body } = await phone.call('GET', `/me/challenges/${id}`);
  if (status !== 200) throw new Error(`not shown: ${JSON.stringify(body)}`);
  return body;
}

/** `more` spoils what an honest app sends. */
export const answer = (phone: TestPhone, asked: Asked, said: Said, more: object = {}): Promise<Reply> =>
  phone.call('POST', `/me/challenges/${asked.id}/answer`, {
    ...said,
    signature: phone.sign('navbat-approval-v1', statementOf(asked, said)),
    ...more,
  });

/** The person approves for the project, so that it knows them from now on. */
export async function befriend(
  navbat: Navbat,
  project: TestProject,
  to: string,
  phone: TestPhone,
): Promise<void> {
  const sent = await ask(project, to);
  const asked = await fetchChallenge(navbat, phone, sent.job_id);
  await until(async () => (await pushedOf(navbat, asked)) === 'sent');
  expect(await answer(phone, asked, { decision: 'approve', number: sent.number })).toMatchObject({
    status: 200,
  });
}

/** What became of the push: null while that is open. */
export const pushedOf = async ({ db }: Navbat, { id }: Pick<Asked, 'id'>) =>
  (await db.query('select pushed from challenge where id = $1', [id])).rows[0]?.pushed as string | null;

/** By a key that is nobody's. */
export const forge = (asked: Asked, said: Said): string =>
  sign(
    null,
    Buffer.from(`navbat-approval-v1\n${canonicalize(statementOf(asked, said))}`),
    generateKeyPairSync('ed25519').privateKey,
  ).toString('base64url');

/** Another number than `number`. */
export const otherNumber = (number: string) => String((Number(number) + 1) % 100).padStart(2, '0');

/** Whose number it is, in the words of our tables. */
export async function personOf(navbat: Navbat, number: string): Promise<string> {
  const { rows } = await navbat.db.query('select person_id from person_phone where address_hash = $1', [
    keyedHash(String(navbat.env['PEPPER']))('address', number),
  ]);
  return rows[0].person_id;
}
