import { expect } from 'vitest';
import { type Navbat, type Reply, startNavbat, type TestProject } from './navbat.ts';
import { type PhoneSession, send, type TestPhone, testPhone } from './phone.ts';
import { newNumber, platformApp, signInByCode } from './platform.ts';

/** What tests of a person's devices share: the person, their screen with the QR code, and what the database has of a device. */

export async function startWithApp(): Promise<{ readonly navbat: Navbat; readonly app: TestProject }> {
  const navbat = await startNavbat();
  const app = await platformApp(navbat);
  // Room for all codes of a file: what empties a budget is another test's.
  await navbat.db.query('update project set settings = settings || $2 where id = $1', [
    app.id,
    { sms_daily_budget_micros: 1_000_000_000 },
  ]);
  return { navbat, app };
}

/** A person who signed in to Navbat's app a moment ago. */
export async function newPerson(navbat: Navbat, app: TestProject) {
  const number = newNumber();
  return { number, session: await signInByCode(navbat, app, number) };
}

export const asPerson =
  ({ apiUrl }: Pick<Navbat, 'apiUrl'>, { access_token }: Pick<PhoneSession, 'access_token'>) =>
  (method: string, path: string, body?: unknown): Promise<Reply> =>
    send(apiUrl + path, method, body, { Authorization: `Bearer ${access_token}` });

/** The picture that the person's other screen shows. */
export async function enrol(navbat: Navbat, session: PhoneSession): Promise<string> {
  const reply = await asPerson(navbat, session)('POST', '/me/enrolments', {});
  expect(reply).toMatchObject({ status: 201 });
  return reply.body.qr.png;
}

export type Curve = 'Ed25519' | 'P-256';

/** `more` is what this phone says of itself when it claims. */
export async function boundPhone(
  navbat: Navbat,
  session: PhoneSession,
  curve: Curve = 'Ed25519',
  more: object = {},
): Promise<TestPhone> {
  const phone = testPhone(navbat.apiUrl, curve);
  expect(await phone.claim({ png: await enrol(navbat, session) }, more)).toMatchObject({ status: 201 });
  expect(await phone.confirm()).toMatchObject({ status: 200 });
  return phone;
}

export async function deviceRow({ db }: Navbat, id: string) {
  const { rows } = await db.query('select * from device where id = $1', [id]);
  return rows[0];
}

export async function noticesOf({ db }: Navbat, deviceId: string) {
  const { rows } = await db.query('select kind from person_notice where subject_id = $1 order by id', [
    deviceId,
  ]);
  return rows.map(({ kind }) => kind);
}

export const boundCount = async (navbat: Navbat, session: PhoneSession) =>
  (await asPerson(navbat, session)('GET', '/me/devices')).body.data.length;

export const isNotKept = (reply: Reply) => expect(reply.headers.get('cache-control')).toBe('no-store');
