import type { Mutation } from '../mutation.ts';

const SERVE = 'apps/http/serve-route.ts';
const REQUESTS = 'infra/postgres/pay/money-requests.ts';
const CUSTOMER = 'infra/postgres/pay/payout/customer-payouts.ts';
const ASKING = 'infra/postgres/pay/migrations/20261129180100-pay-asking.ts';
const CANCEL = 'infra/postgres/pay/migrations/20261130171000-pay-cancel-by-staff.ts';
const DOORS = 'infra/postgres/pay/migrations/20261129184000-pay-doors.ts';
const OWN = 'infra/postgres/pay/migrations/20261130170300-pay-own-money.ts';
const PROOFS = 'infra/postgres/pay/migrations/20261129190100-pay-agreed-with-proof.ts';
const inWithdraw = (name: string) => ({ file: 'test/apps/api/pay/withdraw.system.test.ts', name });
const inPayouts = (name: string) => ({ file: 'test/apps/api/pay/payouts.system.test.ts', name });
const inBatches = (name: string) => ({ file: 'test/apps/board/pay/batches.routes.test.ts', name });
const inCorrections = (name: string) => ({ file: 'test/apps/board/pay/corrections.routes.test.ts', name });

const repeats: readonly Mutation[] = [
  {
    name: 'money is asked for without an Idempotency-Key',
    edits: [
      { file: SERVE, from: `asked === 'required' && isDryRun !== true;`, to: 'false;' },
      {
        file: 'apps/http/pay/money-request.ts',
        from: `if (idempotencyKey === null) throw new Error('a route about money does not ask for an Idempotency-Key');`,
        to: 'if (idempotencyKey === null) return moneyRequest({ idempotencyKey: crypto.randomUUID(), now }, { project, id }, what, asked);',
      },
    ],
    test: inWithdraw('without an Idempotency-Key is 400, and moves nothing'),
  },
  {
    name: 'a key answers another request with the first one’s answer',
    edits: [{ file: REQUESTS, from: 'if (!row.same)', to: 'if (false)' }],
    test: inWithdraw('under a key of another request is 422'),
  },
  {
    name: 'people share their keys',
    edits: [
      {
        file: 'apps/http/pay/money-request.ts',
        from: 'personId: id, key: idempotencyKey,',
        to: 'personId: project, key: idempotencyKey,',
      },
    ],
    test: inWithdraw('under a key of another request is 422'),
  },
  {
    name: 'one reference stands for two payouts',
    edits: [
      {
        file: ASKING,
        from: `(made.project_id, made.person_id, made.phone, made.payee_name, made.purpose, made.gross, made.fee)\n         is distinct from (book, person, of_phone, payee, why, asked, our_fee)`,
        to: 'false',
      },
    ],
    test: inPayouts('of a reference that stands for another is refused'),
  },
];

const others: readonly Mutation[] = [
  {
    name: 'another customer’s payout is shown',
    edits: [
      {
        file: CUSTOMER,
        from: `where p.source = 'api' and p.funder = $1 and p.id = $2`,
        to: `where p.source = 'api' and $1::uuid is not null and p.id = $2`,
      },
    ],
    test: inPayouts('is cancelled by its project alone, and the money is back'),
  },
  {
    name: 'another customer’s payouts are listed',
    edits: [
      {
        file: CUSTOMER,
        from: `where p.source = 'api' and p.funder = $1 and ($2::text`,
        to: `where p.source = 'api' and $1::uuid is not null and ($2::text`,
      },
    ],
    test: inPayouts('is cancelled by its project alone, and the money is back'),
  },
  {
    name: 'another customer’s payout is cancelled',
    edits: [
      {
        file: CANCEL,
        from: ` and p.source = 'api' and p.funder = of_funder) then`,
        to: ` and p.source = 'api') then`,
      },
    ],
    test: inPayouts('is cancelled by its project alone, and the money is back'),
  },
  {
    name: 'whoever calls the function cancels a payout as staff',
    edits: [
      { file: CANCEL, from: `  perform payout_staff_may(staff, array['finance', 'admin']);\n`, to: '' },
    ],
    test: {
      file: 'test/infra/postgres/pay/payout/cancel-by-staff.test.ts',
      name: 'it is refused to whoever is not of finance now, of another book, of none, and of what stands in a batch',
    },
  },
  {
    name: 'a test key asks for money',
    edits: [
      {
        file: 'apps/api/pay/payouts.routes.ts',
        from: `, testKeys: 'refused' } as const`,
        to: `, testKeys: 'apart' } as const`,
      },
    ],
    test: { ...inPayouts('of a test is 403'), isMade: true },
  },
  {
    name: 'what a key asks for in a day has no end',
    edits: [{ file: DOORS, from: 'if so_far > day_max then', to: 'if false then' }],
    test: inPayouts('that is stolen asks for as much as its day allows'),
  },
  {
    name: 'each request of a key has a day of its own',
    edits: [{ file: DOORS, from: 'set asked = d.asked + excluded.asked', to: 'set asked = excluded.asked' }],
    test: inPayouts('that is stolen asks for as much as its day allows'),
  },
  {
    name: 'another person’s balance is shown',
    edits: [
      {
        file: 'infra/postgres/pay/payout/withdrawals.ts',
        from: 'c.telegram_id = $2::bigint and c.person_id = $1)',
        to: 'c.telegram_id = $2::bigint and $1::uuid is not null)',
      },
    ],
    test: inWithdraw('is told to its person by me and by their own Telegram id; of all others 403 alike'),
  },
  {
    name: 'another person’s withdrawal is cancelled',
    edits: [
      {
        file: CANCEL,
        from: `x.source = 'withdrawal' and x.person_id = payout_cancel.person)`,
        to: `x.source = 'withdrawal')`,
      },
    ],
    test: inWithdraw('is cancelled once, and the money is back; another’s is 404'),
  },
  {
    name: 'another person’s card is removed',
    edits: [
      { file: ASKING, from: 'd.id = destination and d.person_id = person and', to: 'd.id = destination and' },
    ],
    test: inWithdraw('are listed, and removed by their person alone'),
  },
];

const staff: readonly Mutation[] = [
  {
    name: 'If-Match is asked for and not read',
    edits: [
      {
        file: 'apps/board/pay/batches.routes.ts',
        from: 'version: ifMatch ?? 0, staffId: staff.id });\n  if',
        to: 'version: ifMatch && (await batchOf(parts.reads, id)).version, staffId: staff.id } as BatchAct);\n  if',
      },
    ],
    test: inBatches('of a version that another has changed is 412, and changes nothing'),
  },
  {
    name: 'If-Match is not asked for',
    edits: [
      {
        file: SERVE,
        from: `if (tag === undefined)\n    throw`,
        to: `if (tag === undefined) return 1;\n  if (tag === '')\n    throw`,
      },
    ],
    test: { ...inBatches('submit without If-Match is 428'), isMade: true },
  },
  {
    name: 'the role is not asked',
    edits: [
      {
        file: 'apps/http/serve-staff-route.ts',
        from: '  await requireRole(req, staff, route, { audit: serving.audit });\n',
        to: '  if (staff.id === id) await requireRole(req, staff, route, { audit: serving.audit });\n',
      },
    ],
    test: inBatches('to an operator, who may pause and read nothing'),
  },
  {
    name: 'the proof of who opens a rail is not used',
    edits: [
      {
        file: PROOFS,
        from: `perform staff_proof_use(proof, staff, sha256(convert_to(\n    staff_proof_binds('rail.open'`,
        to: `perform (sha256(convert_to(\n    staff_proof_binds('rail.open'`,
      },
    ],
    test: inCorrections(
      'is stopped by one, an operator too, and opened by two with a proof of this very stop',
    ),
  },
  {
    name: 'who asks for a correction agrees to it',
    edits: [{ file: OWN, from: 'if c.asked_by = staff then', to: 'if false then' }],
    test: inCorrections('is not agreed to by who asked'),
  },
  {
    name: 'the proof of a correction is of any amount',
    edits: [
      {
        file: OWN,
        from: `staff_proof_binds('money.correct', c.id::text, c.version, null, null, c.amount::text)`,
        to: `(select p.binds from staff_proof p where p.id = proof)`,
      },
    ],
    test: inCorrections('is not agreed to by who asked'),
  },
  {
    name: 'staff correct money of their own',
    edits: [
      { file: OWN, from: 'if payout_owns(array[staff, c.asked_by], c.owner) then', to: 'if false then' },
    ],
    test: {
      ...inCorrections('money of a member of staff, by a card, is not corrected by them'),
      isMade: true,
    },
  },
];

const rails: readonly Mutation[] = [
  {
    name: 'a forged webhook is answered as one of the rail',
    edits: [
      {
        file: 'infra/providers/pay/multicard-webhook.ts',
        from: `sameText(sign.toLowerCase(), expected) ?`,
        to: `expected ?`,
      },
    ],
    test: {
      file: 'test/apps/api/pay/rail-webhooks.test.ts',
      name: 'forged, repeated, early and strange webhooks change nothing',
    },
  },
  {
    name: 'a form of the rail is over for whoever says so',
    edits: [
      {
        file: 'infra/providers/pay/multicard.ts',
        from: 'sameText(token, bindingToken(options.secret, bindingId))',
        to: 'sameText(token, token)',
      },
    ],
    test: {
      file: 'test/apps/api/pay/payout-links.test.ts',
      name: 'without the token of the binding is refused',
    },
  },
];

/** The doors to money: whose request it is, how often it is asked, and who may. */
export const httpMutations: readonly Mutation[] = [...repeats, ...others, ...staff, ...rails];
