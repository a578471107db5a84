import { randomUUID } from 'node:crypto';
import { setTimeout } from 'node:timers/promises';
import { z } from 'zod';
import type { ProofBinds } from '../../../domain/staff/proof.ts';
import { clockAheadMs, moveClock } from '../../../infra/postgres/engine/clock.ts';
import { FOLLOWED_WITHIN_MS } from '../../../infra/process/clock.ts';
import { authenticator } from '../../support/authenticator.ts';
import { base32 } from '../../../domain/shared/otpauth.ts';
import type { SoftwarePasskey } from '../../support/passkey.ts';
import { type Answer, ask as send } from './ask.ts';
import type { Approvable, Ask, Fixture } from './fixture.ts';
import { insertStaffSession, makeStaff, verdict } from './roles.ts';
import { bindTotp, insertPasskey, newKey } from './staff-proofs.ts';
import type { AnyRule } from './walk.ts';
import { newAddress, type World } from './world.ts';
import { staffRoles } from '../../../domain/staff/role.ts';

/** A member of staff whose role may do it, with an authenticator app, a passkey and a session by bearer. */
interface Approver {
  readonly world: World;
  readonly staffId: string;
  readonly token: string;
  readonly key: SoftwarePasskey;
  readonly code: () => Promise<string>;
}

interface Visit {
  readonly approver: Approver;
  readonly other: Approver;
  readonly approvable: Approvable;
}

/** What is shown in place of the proof, and what is answered: a status, and what the problem's type is. */
interface State {
  readonly name: string;
  readonly prove: (visit: Visit) => Promise<string | null>;
  readonly answers: readonly [status: number, type?: string];
}

/** Just above five minutes. */
const STALE_MS = 301_000;
const other = (binds: ProofBinds, change: Partial<ProofBinds>) => ({ ...binds, ...change });
const bound = (change: (binds: ProofBinds) => Partial<ProofBinds>): State['prove'] => {
  return ({ approver, approvable: { binds } }) => byPasskey(approver, other(binds, change(binds)));
};
const elsewhere = [403, 'proof-other-subject'] as const;

/** What every route that asks for a proof answers to each of them. */
const proofStates: readonly State[] = [
  { name: 'none', prove: async () => null, answers: [400, 'invalid-request'] },
  { name: 'one that is not there', prove: async () => randomUUID(), answers: [403, 'proof-unknown'] },
  {
    name: "another member's",
    prove: ({ other: colleague, approvable }) => byPasskey(colleague, approvable.binds),
    answers: [403, 'proof-unknown'],
  },
  { name: 'of another action', prove: bound(() => ({ action: 'board.read' })), answers: elsewhere },
  { name: 'of another subject', prove: bound(() => ({ subject: randomUUID() })), answers: elsewhere },
  {
    name: 'of another version',
    prove: bound(({ version }) => ({ version: version + 1 })),
    answers: elsewhere,
  },
  { name: 'of another hash', prove: bound(() => ({ hash: 'f'.repeat(64) })), answers: elsewhere },
  { name: 'of another count', prove: bound(({ count = 0 }) => ({ count: count + 1 })), answers: elsewhere },
  {
    name: 'of another total, by one tiyin',
    prove: bound(({ total = '0' }) => ({ total: String(BigInt(total) + 1n) })),
    answers: elsewhere,
  },
  { name: 'a used one', prove: usedUp, answers: [403, 'proof-used'] },
  {
    name: 'one of five minutes and one second ago',
    prove: async ({ approver, approvable }) => {
      const id = await byPasskey(approver, approvable.binds);
      await moveClock(approver.world.db, STALE_MS);
      return id;
    },
    answers: [403, 'proof-stale'],
  },
  {
    name: 'one by a passkey',
    prove: ({ approver, approvable }) => byPasskey(approver, approvable.binds),
    answers: [200],
  },
  {
    name: 'one by a code',
    prove: async ({ approver, approvable: { binds } }) =>
      idOf(await post(approver, '/staff/proofs', { code: await approver.code(), binds })),
    answers: [200],
  },
];

/**
 * Asks every route that demands a proof with each of these, and for a proof by a recovery code.
 *
 * @returns what was answered otherwise, a line each.
 */
export async function walkProofs(
  world: World,
  rules: Readonly<Record<string, AnyRule>>,
  fixtures: Readonly<Record<string, Fixture>>,
): Promise<string[]> {
  const faults: string[] = [];
  for (const [route, rule] of Object.entries(rules)) {
    if (!('proof' in rule) || !rule.proof) continue;
    const make = fixtures[route]?.proof;
    if (!make) {
      faults.push(`${route} asks for a proof, and its fixture makes nothing to approve`);
      continue;
    }
    for (const state of proofStates) faults.push(...(await seeState(world, route, rule, state, make)));
    faults.push(...(await seeRecoveryCode(world, route, rule, make)));
  }
  return faults;
}

async function seeState(
  world: World,
  route: string,
  rule: AnyRule,
  { name, prove, answers: [status, type = ''] }: State,
  make: NonNullable<Fixture['proof']>,
): Promise<string[]> {
  const [approver, colleague] = [
    await newApprover(world, route, rule),
    await newApprover(world, route, rule),
  ];
  const approvable = await make(world, approver.staffId);
  try {
    const proof = await prove({ approver, other: colleague, approvable });
    const asked = await approvable.ask(proof);
    const answer = await asks(approver, route, asked);
    const told =
      status === 200 ? answer.status < 300 : answer.status === status && answer.text.includes(`:${type}"`);
    return told ? [] : [`${route} with a proof, ${name}: answered ${answer.status} ${answer.text}`];
  } finally {
    await resetClock(world);
  }
}

/** The board follows a moment later. */
async function resetClock({ db }: World): Promise<void> {
  if ((await clockAheadMs(db)) === 0) return;
  await moveClock(db, 0);
  await setTimeout(FOLLOWED_WITHIN_MS);
}

async function seeRecoveryCode(
  world: World,
  route: string,
  rule: AnyRule,
  make: NonNullable<Fixture['proof']>,
): Promise<string[]> {
  const approver = await newApprover(world, route, rule);
  const { binds } = await make(world, approver.staffId);
  const answer = await post(approver, '/staff/proofs', { code: 'AAAA-BBBB-CCCC-DDDD', binds });
  const told = answer.status === 403 && answer.text.includes(':recovery-code-refused"');
  return told ? [] : [`${route}: a recovery code was answered ${answer.status} ${answer.text}`];
}

async function newApprover(world: World, route: string, rule: AnyRule): Promise<Approver> {
  const role = staffRoles.find((one) => {
    const who = { by: 'staff', role: one, extent: 'full', via: 'bearer', origin: 'own' } as const;
    return verdict(rule, who, { app: 'board', route }) === 'admitted';
  });
  if (!role) throw new Error(`${route} lets nobody in`);
  const staffId = await makeStaff(world, role);
  const secret = await bindTotp(world, staffId);
  const key = newKey(world);
  await insertPasskey(world, staffId, key);
  const { token } = await insertStaffSession(world, { staffId, extent: 'full', via: 'bearer' });
  return { world, staffId, token, key, code: () => authenticator(base32(secret)).codeAt(new Date()) };
}

const asks = ({ world, token }: Approver, route: string, { path, body, headers }: Ask): Promise<Answer> =>
  send(world.urls.board + path, {
    method: route.split(' ', 1)[0] ?? '',
    headers: {
      'Content-Type': 'application/json',
      Authorization: `Bearer ${token}`,
      'X-Forwarded-For': newAddress(),
      ...headers,
    },
    body: JSON.stringify(body),
  });

const post = (approver: Approver, path: string, body: unknown) => asks(approver, 'POST', { path, body });

async function byPasskey(approver: Approver, binds: ProofBinds): Promise<string> {
  const asked = await post(approver, '/staff/proofs/options', { binds });
  const { options } = z.object({ options: z.looseObject({}) }).parse(JSON.parse(asked.text));
  return idOf(await post(approver, '/staff/proofs', { passkey: approver.key.assert(options), binds }));
}

function idOf({ status, text }: Answer): string {
  if (status !== 201) throw new Error(`no proof was made: ${status} ${text}`);
  return z.object({ id: z.string() }).parse(JSON.parse(text)).id;
}

/** As by an approval that went before. */
async function usedUp({ approver, approvable: { binds } }: Visit): Promise<string> {
  const id = await byPasskey(approver, binds);
  const { rows } = await approver.world.db.query<{ told: string }>(
    'select staff_proof_outcome(id, staff_id, binds_hash) told from staff_proof where id = $1',
    [id],
  );
  if (rows[0]?.told !== 'ok') throw new Error(`not used: ${rows[0]?.told}`);
  return id;
}
