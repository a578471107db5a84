import type { Mutation } from '../mutation.ts';

const migrations = 'infra/postgres/pay/migrations';
const CLAIM = `${migrations}/20261129181000-pay-dispatch.ts`;
const ENDS = `${migrations}/20261130093000-pay-dispatch-ends.ts`;
const LOOKED = `${migrations}/20261130170000-pay-looked-for.ts`;
const CLOSED = `${migrations}/20261130170100-pay-rail-closed.ts`;
const OWN = `${migrations}/20261130170300-pay-own-money.ts`;
const DECIDE = 'domain/pay/dispatch/decide.ts';
const inSql = (name: string) => ({ file: 'test/infra/postgres/pay/dispatch.test.ts', name });
const inWorker = (name: string) => ({ file: 'test/workers/pay/payout.test.ts', name });
const inDecide = (name: string) => ({ file: 'test/domain/pay/dispatch/decide.test.ts', name });

const railLock = `    perform from rail x where x.id = 'all' or x.id in (select y.rail from payout_dispatch y where y.id = any (ids)) order by x.id for no key update;`;

const claims: readonly Mutation[] = [
  {
    name: 'two claims count the same room',
    edits: [{ file: CLOSED, from: railLock, to: '' }],
    test: inSql('never has more under way than the rail may, over many at once'),
  },
  {
    name: 'a claim does what was decided from an older state',
    edits: [{ file: CLOSED, from: 'when d.version <> r.version or exists (', to: 'when exists (' }],
    test: inSql('opens the first call with a reference of its own, once'),
  },
  {
    name: 'a destination that was changed since is paid',
    edits: [
      {
        file: CLAIM,
        from: 'when d.holder_hash <> i.token_hash or d.last4 <> i.last4 then',
        to: 'when false then',
      },
    ],
    test: {
      ...inSql('is refused with destination-changed, and the payout then fails and gives its money back'),
      isMade: true,
    },
  },
  {
    name: 'the switch is read at the claim only',
    edits: [
      {
        file: CLOSED,
        from: `\n      and not rail_is_closed(d.rail);`,
        to: ';',
      },
    ],
    test: inSql('no claim and no confirmation is committed after its answer'),
  },
  {
    name: 'the rail is called before the call is committed',
    edits: [
      {
        file: 'workers/pay/payout.ts',
        from: '  const moved = await moveSurely(deps, {\n    dispatch,\n    move,',
        to: '  if (move.confirms && railUuid) await deps.rail.confirm(railUuid, signal);\n  const moved = await moveSurely(deps, {\n    dispatch,\n    move,',
      },
    ],
    test: inWorker('each call stands in the database before the rail hears of it'),
  },
  {
    name: 'the number of the attempt is the job’s',
    edits: [
      {
        file: 'workers/pay/payout.ts',
        from: `step.what === 'find' ? step.attempt : dispatch.attempt;`,
        to: `step.what === 'find' ? step.attempt : job.attemptsMade;`,
      },
      {
        file: CLOSED,
        from: `set state = 'drafting', attempt = x.attempt + 1, reference = x.id || '-' || (x.attempt + 1) where`,
        to: `set state = 'drafting', attempt = r.attempt + 1, reference = x.id || '-' || (r.attempt + 1) where`,
      },
    ],
    test: inWorker(
      'of an attempt that is paid late, while the next one is prepared: the next one is never confirmed',
    ),
  },
  {
    name: 'a call is made however late it is',
    edits: [
      {
        file: 'workers/pay/rail-calls.ts',
        from: 'performance.now() - committed.committingAtMs > CALL_BEGINS_MS || signal.aborted',
        to: 'signal.aborted',
      },
    ],
    test: inWorker('in front of its draft does not send it, once it is too late'),
  },
];

const ends: readonly Mutation[] = [
  {
    name: 'no answer means failed',
    edits: [
      {
        file: DECIDE,
        from: `    case 'worker-lost':\n      return to('unknown', asked);`,
        to: `    case 'worker-lost':\n      return to('failed', asked, { reason: 'rail-error' });`,
      },
    ],
    test: { ...inDecide('that is answered: no answer'), isMade: true },
  },
  {
    name: 'the database takes the word of its caller that a payment failed',
    edits: [{ file: LOOKED, from: `dispatch_said_twice(d.id, array['error'])`, to: 'true' }],
    test: inSql('it can not be paid without the rail having said so, nor fail before it said so twice'),
  },
  {
    name: 'one error is enough',
    edits: [
      {
        file: DECIDE,
        from: `if (heard.status === 'error' && isTwice(after))`,
        to: `if (heard.status === 'error')`,
      },
    ],
    test: inDecide('has failed where two reads a minute apart say so, and not a moment sooner'),
  },
  {
    name: 'a second attempt is confirmed without a look for the first',
    edits: [{ file: DECIDE, from: 'confirms: inDoubt(after).length === 0', to: 'confirms: true' }],
    test: inDecide('of a second attempt looks for the first once more, in place of confirming at once'),
  },
  {
    name: 'the database confirms a second attempt without a look for the first',
    edits: [
      {
        file: CLAIM,
        from: 'dispatch_confirms(d.id) = 0 and not dispatch_in_doubt(d)',
        to: 'dispatch_confirms(d.id) = 0',
      },
    ],
    test: inSql('a draft without an answer is made anew after two looks, and confirmed after one more'),
  },
  {
    name: 'a payment is confirmed without end',
    edits: [{ file: CLAIM, from: 'dispatch_confirms(d.id) = 1 and', to: 'dispatch_confirms(d.id) > 0 and' }],
    test: inSql('once it may have been confirmed it is never drafted anew'),
  },
  {
    name: 'a payment settles under a key of its own',
    edits: [
      {
        file: ENDS,
        from: `case outcome when 'paid' then 'resolve:' else 'return:' end`,
        to: `case outcome when 'paid' then 'pay:' else 'return:' end`,
      },
    ],
    test: inSql('paid: what was held leaves for the rail and the fee'),
  },
  {
    name: 'who asked agrees',
    edits: [
      {
        file: OWN,
        from: `if asked.staff_id = staff then raise exception 'another person agrees' using errcode = 'NB021'; end if;`,
        to: '',
      },
    ],
    test: inSql('two people open it: who asked does not agree'),
  },
  {
    name: 'a rail that paid without being told to goes on',
    edits: [
      {
        file: DECIDE,
        from: `    case 'success':\n      return to('paid', now, { stopsRail });`,
        to: `    case 'success':\n      return to('paid', now);`,
      },
    ],
    test: inWorker('that pays at once, though it was told not to: paid once, it stops itself'),
  },
  {
    name: 'what may have been paid is let go without a look',
    edits: [{ file: LOOKED, from: ' and dispatch_look_for(d) is null\n', to: '\n' }],
    test: {
      file: 'test/workers/pay/payout-let-go.test.ts',
      name: 'is looked for before its line is taken out of a batch whose rest is cancelled',
    },
  },
];

const said: readonly Mutation[] = [
  {
    name: 'the status of a webhook is believed',
    edits: [
      {
        file: 'infra/providers/pay/multicard.ts',
        from: 'read: (uuid, signal) => client.read(uuid, signal),',
        to: `read: async (uuid, signal) => {
      const reply = await client.read(uuid, signal);
      const status = told.get(uuid);
      return reply.kind === 'answered' && status ? { kind: 'answered', value: { ...reply.value, status } } : reply;
    },`,
      },
      {
        file: 'infra/providers/pay/multicard.ts',
        from: 'readWebhook: (body) => noticeIn(body, callbackSecret),',
        to: `readWebhook: (body) => {
      const notice = noticeIn(body, callbackSecret);
      if (notice.kind === 'look') told.set(notice.uuid, JSON.parse(Buffer.from(body).toString('utf8')).status);
      return notice;
    },`,
      },
      {
        file: 'infra/providers/pay/multicard.ts',
        from: 'const client = new Multicard(options);',
        to: 'const client = new Multicard(options);\n  const told = new Map<string, RailStatus>();',
      },
    ],
    test: {
      file: 'test/apps/api/pay/rail-webhooks.test.ts',
      name: 'forged, repeated, early and strange webhooks change nothing of a payment',
    },
  },
  {
    name: 'a refusal without a meaning is no doubt',
    edits: [
      {
        file: DECIDE,
        from: `outcome === 'refused' && because !== 'not-found' && because !== 'already-applied'`,
        to: `outcome === 'refused'`,
      },
    ],
    test: { ...inDecide('is what a refusal as not-found is too'), isMade: true },
  },
  {
    name: 'a look from before the newest draft counts',
    edits: [{ file: DECIDE, from: 'since !== null &&\n        call.openedAt >= since,', to: 'true,' }],
    test: inDecide('of a second attempt looks for the first once more, in place of confirming at once'),
  },
  {
    name: 'two answers are as far apart as they took',
    edits: [
      {
        file: DECIDE,
        from: 'ms(last.openedAt) - ms(first.closedAt) >= APART_MS',
        to: 'ms(last.closedAt ?? last.openedAt) - ms(first.openedAt) >= APART_MS',
      },
    ],
    test: inDecide('is a minute apart from the end of the first answer to the beginning of the second'),
  },
  {
    name: 'what is refused for good fails before all earlier attempts were looked for',
    edits: [{ file: DECIDE, from: 'return inDoubt(after).length > 0\n', to: 'return false\n' }],
    test: inDecide(
      'of a third attempt that is refused for good fails after both of those before were looked for',
    ),
  },
];

const kept: readonly Mutation[] = [
  {
    name: 'retention without the exception',
    edits: [
      {
        file: 'infra/postgres/job/retention.ts',
        from: 'delete from outbox where id = any(array(select id from outbox where published_at < $1 order by id limit $2))',
        to: `update payout_destination set token_encrypted = 'gone' where made_at < $1 and $2 > 0`,
      },
    ],
    test: {
      file: 'test/infra/postgres/pay/explain/kept.test.ts',
      name: 'forty days with jobs kept for one leave every row of money as it was',
    },
  },
];

export const dispatchMutations: readonly Mutation[] = [...claims, ...ends, ...said, ...kept];
