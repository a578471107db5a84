import { generateKeyPairSync } from 'node:crypto';
import { describe, expect, test } from 'vitest';
import { PASSKEYS_MAX, registrationBinds, removalBinds } from '../../../../domain/staff/passkey.ts';
import { CHALLENGE_MINUTES, CHALLENGES_MAX } from '../../../../domain/staff/webauthn.ts';
import { staffRetention } from '../../../../infra/postgres/staff/retention.ts';
import { eventually } from '../../../support/eventually.ts';
import { attestationHash, type Bent, softwarePasskey } from '../../../support/passkey.ts';
import { FAILED_LOGINS_MAX } from '../../../../infra/postgres/staff/lock.ts';
import { later, now, type Person, STEP_MS, WRONG } from './open-staff.ts';
import { nextStep, openProofs, ORIGIN, someId } from './open-proofs.ts';

const {
  ground,
  accounts,
  sessions,
  factors,
  passkeys,
  logins,
  newPerson,
  pendingOf,
  prove,
  addPasskey,
  blocked,
} = await openProofs();

const MINUTE_MS = 60_000;
const whole = { limit: 50, after: null };
const optionsOf = async (person: Person, at = now) =>
  passkeys.registration({ ...person, role: 'operator' }, at);

/** As `addPasskey`, whatever comes of it. */
async function tryRegister(person: Person, key = softwarePasskey(ORIGIN), bent: Bent = {}, at = now) {
  const registration = key.register(await optionsOf(person, at), bent);
  const binds = registrationBinds(person.id, attestationHash(registration));
  const proofId = (await prove(person, binds, at)).id;
  return passkeys.register(person.id, { name: 'a key', registration, proofId }, at);
}
const notRegistered = (reason: string, more: object = {}) => ({ registered: false, reason, ...more });

describe('registering', () => {
  test.each(['ES256', 'EdDSA'] as const)('%s: it is there from then on', async (alg) => {
    const person = await newPerson();
    await addPasskey(person, softwarePasskey(ORIGIN, alg));
    const { rows } = await passkeys.list(person.id, whole);
    expect(rows).toMatchObject([{ name: 'a key', version: 1, createdAt: now, lastUsedAt: null }]);
  });

  test('asks for a verified user, and names the keys that are there', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    expect(await optionsOf(person)).toMatchObject({
      rp: { id: 'localhost' },
      attestation: 'none',
      authenticatorSelection: { userVerification: 'required' },
      excludeCredentials: [{ id: key.id }],
    });
  });

  test.each<[string, Bent]>([
    ['at another origin', { origin: 'http://localhost:4000' }],
    ['for another site', { rpId: 'evil.example' }],
    ['by a user who only touched the key', { userVerified: false }],
    ['in a frame of another site', { crossOrigin: true }],
  ])('%s is refused', async (_what, bent) => {
    expect(await tryRegister(await newPerson(), softwarePasskey(ORIGIN), bent)).toEqual(
      notRegistered('signature'),
    );
  });

  test('answers its question once, in time, and nobody else’s', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const key = softwarePasskey(ORIGIN);
    const wish = (registration: ReturnType<typeof key.register>) => ({
      name: 'a key',
      registration,
      proofId: someId(),
    });
    const asked = key.register(await optionsOf(person));
    expect(await passkeys.register(other.id, wish(asked), now)).toEqual(notRegistered('challenge'));
    expect(await passkeys.register(person.id, wish(asked), now)).toMatchObject({ reason: 'proof' });
    expect(await passkeys.register(person.id, wish(asked), now)).toEqual(notRegistered('challenge'));
    const slow = key.register(await optionsOf(person));
    const late = later(CHALLENGE_MINUTES * MINUTE_MS);
    expect(await passkeys.register(person.id, wish(slow), late)).toEqual(notRegistered('challenge'));
    const login = await addPasskey(person);
    const pending = await pendingOf(person.id);
    const { challenge } = (await logins.options(pending, now)) ?? {};
    const crossed = login.register({ challenge });
    expect(await passkeys.register(person.id, wish(crossed), now)).toEqual(notRegistered('challenge'));
  });

  test('needs a proof of this very key', async () => {
    const person = await newPerson();
    const [mine, theirs] = [softwarePasskey(ORIGIN), softwarePasskey(ORIGIN)];
    const approved = mine.register(await optionsOf(person));
    const { id } = await prove(person, registrationBinds(person.id, attestationHash(approved)));
    const swapped = theirs.register(await optionsOf(person));
    expect(
      await passkeys.register(person.id, { name: 'x', registration: swapped, proofId: id }, now),
    ).toEqual(notRegistered('proof', { outcome: 'other-subject' }));
    expect((await passkeys.list(person.id, whole)).rows).toEqual([]);
  });

  test('of a key that somebody has is refused', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const key = await addPasskey(person);
    expect(await tryRegister(other, key)).toEqual(notRegistered('taken'));
  });

  test(`ends at ${PASSKEYS_MAX}, also where they come at the same time`, async () => {
    const person = await newPerson();
    await addPasskey(person);
    await ground.pool.query(
      `insert into staff_passkey (id, staff_id, credential_id, public_key, counter, transports, name, created_at)
       select gen_random_uuid(), $1, gen_random_uuid()::text::bytea, public_key, 0, '{}', name, created_at
       from staff_passkey, generate_series(1, $2) where staff_id = $1`,
      [person.id, PASSKEYS_MAX - 2],
    );
    // The challenges and proofs one after the other, as codes are spent in their order.
    const wishes = [];
    for (const at of [nextStep, later(2 * STEP_MS)]) {
      const registration = softwarePasskey(ORIGIN).register(await optionsOf(person, at));
      const binds = registrationBinds(person.id, attestationHash(registration));
      wishes.push({ name: 'a key', registration, proofId: (await prove(person, binds, at)).id });
    }
    const holding = await ground.pool.connect();
    await holding.query('begin');
    await holding.query('select from staff where id = $1 for no key update', [person.id]);
    const both = Promise.all(wishes.map((wish) => passkeys.register(person.id, wish, nextStep)));
    await eventually(async () => expect(await blocked()).toBe(2));
    await holding.query('commit');
    holding.release();
    const made = await both;
    expect(made.filter(({ registered }) => registered)).toHaveLength(1);
    expect(made).toContainEqual(notRegistered('too-many'));
  });
});

describe('the list', () => {
  test('is paged, newest first, and one’s own', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const first = await addPasskey(person);
    const second = await addPasskey(person, softwarePasskey(ORIGIN), nextStep);
    await addPasskey(other);
    const page = await passkeys.list(person.id, { limit: 1, after: null });
    expect(page.rows.map(({ id }) => id)).toEqual([second.passkeyId]);
    const rest = await passkeys.list(person.id, { limit: 1, after: page.next });
    expect(rest.rows.map(({ id }) => id)).toEqual([first.passkeyId]);
    expect(rest.next).toBeNull();
  });

  test('shows a new name as a new version; another’s is not renamed', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const { passkeyId } = await addPasskey(person);
    expect(await passkeys.rename(other.id, passkeyId, 'mine')).toBeNull();
    expect(await passkeys.rename(person.id, passkeyId, 'the blue one')).toMatchObject({
      name: 'the blue one',
      version: 2,
    });
  });
});

describe('removing', () => {
  test('needs a proof of this key as it was read', async () => {
    const person = await newPerson();
    const { passkeyId: id } = await addPasskey(person);
    const early = await prove(person, removalBinds({ id, version: 1 }), nextStep);
    await passkeys.rename(person.id, id, 'another name');
    expect(await passkeys.remove(person.id, id, early.id, now)).toEqual({
      removed: false,
      reason: 'proof',
      outcome: 'other-subject',
    });
    const right = await prove(person, removalBinds({ id, version: 2 }), later(2 * STEP_MS));
    expect(await passkeys.remove(person.id, id, right.id, now)).toEqual({ removed: true });
    expect((await passkeys.list(person.id, whole)).rows).toEqual([]);
    expect(await passkeys.remove(person.id, id, right.id, now)).toEqual({
      removed: false,
      reason: 'unknown',
    });
  });

  test('is nobody else’s', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const { passkeyId: id } = await addPasskey(person);
    const proof = await prove(other, removalBinds({ id, version: 1 }));
    expect(await passkeys.remove(other.id, id, proof.id, now)).toEqual({ removed: false, reason: 'unknown' });
  });

  test('all of them comes with a reset of the second factor, and what was asked of them is forgotten', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const pending = await pendingOf(person.id);
    const options = (await logins.options(pending, now)) ?? {};
    await accounts.resetSecondFactor(person.email);
    expect((await passkeys.list(person.id, whole)).rows).toEqual([]);
    const again = await pendingOf(person.id);
    expect(await logins.options(again, now)).toBeNull();
    expect(await logins.pass(again, key.assert(options), now)).toEqual({
      passed: false,
      reason: 'challenge',
    });
  });
});

describe('at the login', () => {
  const ask = async (person: Person) => {
    const pending = await pendingOf(person.id);
    return { pending, options: (await logins.options(pending, now)) ?? {} };
  };
  const notPassed = (reason: string) => ({ passed: false, reason });

  test.each(['ES256', 'EdDSA'] as const)('a passkey of %s makes a pending session full', async (alg) => {
    const person = await newPerson();
    const key = await addPasskey(person, softwarePasskey(ORIGIN, alg));
    const { pending, options } = await ask(person);
    expect(options).toMatchObject({ rpId: 'localhost', userVerification: 'required' });
    const passed = await logins.pass(pending, key.assert(options), now);
    expect(passed).toMatchObject({ passed: true });
    const token = passed.passed ? passed.session.token : '';
    expect(await sessions.find(token, 'cookie', now)).toMatchObject({ staff: { id: person.id } });
    expect(await sessions.findPending(pending, 'cookie', now)).toBeNull();
    expect((await passkeys.list(person.id, whole)).rows).toMatchObject([{ lastUsedAt: now }]);
  });

  test.each<[string, Bent, string]>([
    ['at another origin', { origin: 'http://localhost:4000' }, 'signature'],
    ['for another site', { rpId: 'evil.example' }, 'signature'],
    ['by a user who only touched the key', { userVerified: false }, 'signature'],
    ['in a frame of another site', { crossOrigin: true }, 'signature'],
    ['with a challenge that nobody gave', { challenge: Buffer.alloc(32).toString('base64url') }, 'challenge'],
    ['with what is no challenge', { challenge: 'x' }, 'challenge'],
    [
      'signed by another key',
      { signedBy: generateKeyPairSync('ec', { namedCurve: 'P-256' }).privateKey },
      'signature',
    ],
    ['by a copy whose counter stands still', { counter: 1 }, 'clone'],
  ])('an answer %s is refused', async (_what, bent, reason) => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const { pending, options } = await ask(person);
    expect(await logins.pass(pending, key.assert(options, bent), now)).toEqual(notPassed(reason));
    expect(await sessions.findPending(pending, 'cookie', now)).toMatchObject({ staff: { id: person.id } });
  });

  test('a key without a counter works each time', async () => {
    const person = await newPerson();
    const key = await addPasskey(person, softwarePasskey(ORIGIN, 'ES256', { counts: false }));
    for (let times = 0; times < 2; times += 1) {
      const { pending, options } = await ask(person);
      expect(await logins.pass(pending, key.assert(options), now)).toMatchObject({ passed: true });
    }
  });

  test('of two answers that count alike, one passes', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const [one, two] = [await ask(person), await ask(person)];
    const told = await Promise.all(
      [one, two].map(({ pending, options }) =>
        logins.pass(pending, key.assert(options, { counter: 9 }), now),
      ),
    );
    expect(told.filter(({ passed }) => passed)).toHaveLength(1);
    expect(told).toContainEqual(notPassed('clone'));
  });

  test('an answer of a colleague’s key, or to their question, is refused', async () => {
    const [person, other] = [await newPerson(), await newPerson()];
    const [mine, theirs] = [await addPasskey(person), await addPasskey(other)];
    const own = await ask(person);
    expect(await logins.pass(own.pending, theirs.assert(own.options), now)).toEqual(notPassed('passkey'));
    const [again, foreign] = [await ask(person), await ask(other)];
    expect(await logins.pass(again.pending, mine.assert(foreign.options), now)).toEqual(
      notPassed('challenge'),
    );
  });

  test('what was signed for a proof logs nobody in', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const proofOptions = await logins.options(await pendingOf(person.id), now);
    expect(proofOptions).not.toBeNull();
    const { rows } = await ground.owner.query<{ challenge: Buffer }>(
      `update staff_challenge set purpose = 'proof', nonce = challenge where staff_id = $1 returning challenge`,
      [person.id],
    );
    const challenge = rows[0]?.challenge.toString('base64url');
    const pending = await pendingOf(person.id);
    expect(await logins.pass(pending, key.assert({ challenge }), now)).toEqual(notPassed('challenge'));
  });

  test('a passkey forgives the wrong codes before it, as a code does', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const { pending, options } = await ask(person);
    for (let tries = 0; tries < FAILED_LOGINS_MAX - 1; tries += 1) await factors.pass(pending, WRONG, now);
    expect(await logins.pass(pending, key.assert(options), now)).toMatchObject({ passed: true });
    const { rows } = await ground.pool.query('select failed_logins from staff where id = $1', [person.id]);
    expect(rows).toEqual([{ failed_logins: 0 }]);
  });

  test('a session that is full, or gone, or of somebody disabled, passes nothing', async () => {
    const person = await newPerson();
    const key = await addPasskey(person);
    const { pending, options } = await ask(person);
    expect(await logins.pass('nothing-like-it', key.assert(options), now)).toEqual(notPassed('gone'));
    await accounts.disable(person.email, now);
    expect(await logins.pass(pending, key.assert(options), now)).toEqual(notPassed('gone'));
    expect(await logins.options(pending, now)).toBeNull();
  });
});

describe('challenges', () => {
  test(`of one purpose are ${CHALLENGES_MAX} at most`, async () => {
    const person = await newPerson();
    for (let asked = 0; asked < CHALLENGES_MAX + 3; asked += 1) await optionsOf(person, later(asked));
    const { rows } = await ground.pool.query(
      'select count(*)::int live from staff_challenge where staff_id = $1',
      [person.id],
    );
    expect(rows).toEqual([{ live: CHALLENGES_MAX }]);
  });

  test('leave by retention once they have expired', async () => {
    const person = await newPerson();
    await optionsOf(person);
    const [rule] = staffRetention.rules;
    const left = async (at: Date) => {
      await ground.pool.query(rule?.sql ?? '', [at, 100]);
      const { rowCount } = await ground.pool.query('select from staff_challenge where staff_id = $1', [
        person.id,
      ]);
      return rowCount;
    };
    expect(await left(later(CHALLENGE_MINUTES * MINUTE_MS))).toBe(1);
    expect(await left(later(CHALLENGE_MINUTES * MINUTE_MS + 1))).toBe(0);
  });
});
