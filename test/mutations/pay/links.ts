import type { Mutation } from '../mutation.ts';

const LISTS = 'infra/postgres/pay/migrations/20261129182000-pay-lists.ts';
const FORMS = 'infra/postgres/pay/migrations/20261130110000-pay-forms-counted.ts';
const JOBS = 'infra/postgres/pay/migrations/20261129193000-pay-link-jobs.ts';
const LINKS = 'infra/postgres/pay/list/links.ts';
const SETTLE = 'infra/postgres/pay/settle.ts';
const WAYS = 'domain/pay/link/ways.ts';
const onPage = (name: string) => ({ file: 'test/apps/api/pay/payout-links.test.ts', name });
const sent = (name: string) => ({ file: 'test/workers/pay/send-links.test.ts', name });

const secret: readonly Mutation[] = [
  {
    name: 'the token of a link is kept plain',
    edits: [{ file: LINKS, from: 'encryption.encrypt(token, id)', to: 'Buffer.from(token)' }],
    test: sent('the token stands nowhere but encrypted until it is sent'),
  },
  {
    name: 'the token outlives its message',
    edits: [{ file: SETTLE, from: 'set token_encrypted = null,\n    channel', to: 'set channel' }],
    test: sent('the token stands nowhere but encrypted until it is sent'),
  },
];

const works: readonly Mutation[] = [
  {
    name: 'an expired link opens a form',
    edits: [{ file: FORMS, from: ' and l.expires_at > now_at\n', to: '\n' }],
    test: onPage('one after 14 days, before and after its payout is given back'),
  },
  {
    name: 'a link that was replaced binds a card',
    edits: [{ file: LISTS, from: 'if l.revoked_at is not null or l.expires_at', to: 'if l.expires_at' }],
    test: onPage(
      'one that was replaced binds no card in Postgres either, whose payee left the form for long',
    ),
  },
  {
    name: 'a used link shows its button again',
    edits: [
      {
        file: LINKS,
        from: `if (state !== 'awaiting-card') return 'bound';`,
        to: `if (state === 'batched') return 'bound';`,
      },
    ],
    test: onPage('one that was used: what became of it, and no other card'),
  },
  {
    name: 'the score of the name is not stored',
    edits: [
      { file: LINKS, from: '[bindingId, destinationId, nameScore]', to: '[bindingId, destinationId, null]' },
    ],
    test: onPage('on the way back makes the payout payable, with the score of the name'),
  },
  {
    name: 'a card is bound to the payout of another link',
    edits: [
      {
        file: LISTS,
        from: 'join payout_binding b on b.link_id = x.id where b.id = binding;',
        to: 'where x.used_at is null and x.revoked_at is null order by x.id desc limit 1;',
      },
    ],
    test: onPage('one binds the card of its own payee alone'),
  },
];

const sending: readonly Mutation[] = [
  {
    name: 'two rounds make a link each',
    edits: [
      {
        file: JOBS,
        from: 'select x.* into p from payout x where x.id = of_payout for no key update;\n  now_at := ledger_clock();\n  if p.id is null or p.state',
        to: 'select x.* into p from payout x where x.id = of_payout;\n  now_at := ledger_clock();\n  if p.id is null or p.state',
      },
    ],
    test: sent('of several ticks and several workers at once each payee gets one message'),
  },
  {
    name: 'an SMS of unknown end is sent again',
    edits: [
      {
        file: WAYS,
        from: `channel === 'sms' && mayHaveLeft(outcome)`,
        to: `channel !== 'sms' && mayHaveLeft(outcome)`,
      },
    ],
    test: sent('an SMS that may have left before its worker was killed is not sent again'),
  },
  {
    name: 'a reminder is reminded',
    edits: [
      { file: JOBS, from: 'or not lost and not l.is_reminder and', to: 'or not lost and' },
      { file: LINKS, from: 'or not x.lost and not l.is_reminder and', to: 'or not x.lost and' },
    ],
    test: sent('it is reminded after three days, once, by either way'),
  },
  {
    name: 'who comes to the bot later is not found',
    edits: [{ file: JOBS, from: 'greatest(f.proven_at, h.proven_at, c.opened_at) > l.made_at', to: 'false' }],
    test: sent('without SMS a payee who comes to the bot later gets the link then, within one round'),
  },
  {
    name: 'the link goes to who has the phone of another payee',
    edits: [{ file: WAYS, from: 'if (facts.hasMoved)', to: 'if (facts.hasMoved && facts.chatId === null)' }],
    test: sent('nothing goes to who has the phone of another payee now'),
  },
  {
    name: 'finance sends a link as often as it likes',
    edits: [{ file: JOBS, from: `    return 'too-soon';\n`, to: '    null;\n' }],
    test: sent('finance sends it again, to the phone of the payout'),
  },
];

export const linkMutations: readonly Mutation[] = [...secret, ...works, ...sending];
