import { generateKeyPairSync, sign } from 'node:crypto';
import canonicalize from 'canonicalize';
import { keyedHash } from '../../infra/process/crypto.ts';
import { type Navbat, type Reply, type TestProject, until } from './navbat.ts';
import { send, type TestPhone, testPhone } from './phone.ts';
import { signInByCode } from './platform.ts';

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

/** The person of this number, with Navbat's app bound to them by its QR code. */
export async function personWithPhone(
  navbat: Navbat,
  app: TestProject,
  number: string,
  curve: 'Ed25519' | 'P-256' = 'Ed25519',
): Promise<TestPhone> {
  const session = await signInByCode(navbat, app, number);
  const phone = testPhone(navbat.apiUrl, curve);
  const enrolment = await send(
    `${navbat.apiUrl}/me/enrolments`,
    'POST',
    {},
    {
      Authorization: `Bearer ${session.access_token}`,
    },
  );
  await phone.claim({ png: enrolment.body.qr.png }, { push_token: pushTokenOf(number) });
  const confirmed = await phone.confirm();
  if (confirmed.status !== 200) throw new Error(`not bound: ${JSON.stringify(confirmed.body)}`);
  return phone;
}

export const pushTokenOf = (number: string) => `push-token-of-${number.replace('+', '')}`;

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
