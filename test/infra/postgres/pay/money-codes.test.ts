import { afterAll, beforeAll, expect, test } from 'vitest';
import { moneyProblem } from '../../../../apps/http/pay/money-problem.ts';
import { reasons } from '../../../../domain/reasons.ts';
import { moneyRefusalOf } from '../../../../infra/postgres/pay/money-faults.ts';
import { openGround } from '../world.ts';

/** Of what no caller is told, why not: whoever meets it answers 500, and it is logged. */
const faultsOfOurs: Readonly<Record<string, string>> = {
  NB004: 'the function is called as our own code never calls it, or in another sort of transaction',
  NB008: 'a row of the ledger is missing, which closing its blocks finds: no route closes any',
  NB009: 'what is kept for ever is changed, which no statement of ours does',
};

interface Raised {
  readonly name: string;
  readonly code: string;
  /** Where it is a word in the source; null where a variable says it. */
  readonly detail: string | null;
}

let ground: Awaited<ReturnType<typeof openGround>>;
let raised: readonly Raised[];
beforeAll(async () => {
  ground = await openGround();
  const { rows } = await ground.owner.query<{ name: string; source: string }>(
    `select p.proname::text as name, p.prosrc as source from pg_proc p where p.pronamespace = 'public'::regnamespace and p.prosrc ~ 'NB0[0-9]{2}' order by 1`,
  );
  raised = rows.flatMap(({ name, source }) => codesIn(source).map((each) => ({ name, ...each })));
});
afterAll(() => ground.close());

/** NB000 to NB039; other contexts have other numbers. */
const CODES_OF_PAY = 40;
/** Codes of paying in quotes, of `errcode` and of the tables from which it is read. What is caught (`when sqlstate`) is raised by another. */
const codesIn = (source: string) =>
  [...source.matchAll(/(?<!sqlstate )'(NB0[0-3]\d)'(?:, detail = '([a-z-]+)')?/g)].map(
    ([, code = '', detail]) => ({
      code,
      detail: detail ?? null,
    }),
  );

const thrown = ({ code, detail }: Pick<Raised, 'code' | 'detail'>): Promise<unknown> =>
  ground.owner
    .query(
      `do $$ begin raise exception 'refused' using errcode = '${code}'${detail === null ? '' : `, detail = '${detail}'`}; end $$`,
    )
    .catch((error: unknown) => error);

/** What a function says by a variable, one of the words that it may be. */
const wordOf: Readonly<Record<string, string>> = { NB011: 'blocked', NB023: 'stale' };

test('each code that a function of today raises is told as a documented problem, or is a fault of ours that says why', async () => {
  expect(raised.length).toBeGreaterThan(100);
  for (const { name, code, detail } of raised) {
    if (code in faultsOfOurs) continue;
    const refusal = moneyRefusalOf(await thrown({ code, detail: detail ?? wordOf[code] ?? null }));
    expect(refusal, `${code} of ${name}`).not.toBeNull();
    if (!refusal) continue;
    const { status, type } = moneyProblem(refusal);
    expect([status >= 400 && status < 500, type in reasons], `${code} of ${name}`).toEqual([true, true]);
  }
});

test('what is a fault of ours is told to nobody, and each of them is raised', async () => {
  const codes = new Set(raised.map(({ code }) => code));
  for (const code of Object.keys(faultsOfOurs)) {
    expect([...codes]).toContain(code);
    expect(moneyRefusalOf(await thrown({ code, detail: null }))).toBeNull();
  }
});

test('nothing is told that no function raises', async () => {
  const codes = new Set(raised.map(({ code }) => code));
  const told: string[] = [];
  for (let n = 0; n < CODES_OF_PAY; n += 1) {
    const code = `NB0${String(n).padStart(2, '0')}`;
    if (moneyRefusalOf(await thrown({ code, detail: wordOf[code] ?? null })) !== null) told.push(code);
  }
  expect(told.filter((code) => !codes.has(code))).toEqual([]);
});
