import type { Mutation } from '../mutation.ts';

const CLIENT = 'infra/providers/pay/multicard.ts';
const REPLIES = 'infra/providers/pay/multicard-replies.ts';
const inReads = (name: string) => ({ file: 'test/infra/providers/pay/multicard-reads.test.ts', name });
const inSignIn = (name: string) => ({
  file: 'test/infra/providers/pay/multicard-sign-in.test.ts',
  name,
});
const inClient = (name: string) => ({ file: 'test/infra/providers/pay/multicard.test.ts', name });
const inWebhook = (name: string) => ({ file: 'test/infra/providers/pay/multicard-webhook.test.ts', name });

export const railMutations: readonly Mutation[] = [
  {
    name: 'no confirmable: the draft pays',
    edits: [
      {
        file: 'infra/providers/pay/multicard-payments.ts',
        from: 'return JSON.stringify(body);',
        to: 'return JSON.stringify({ ...body, confirmable: undefined });',
      },
    ],
    test: inClient('a draft pays nothing, its confirmation pays once, and both are read again'),
  },
  {
    name: 'find by prefix',
    edits: [
      {
        file: CLIENT,
        from: 'if (payment.reference === reference)',
        to: 'if (payment.reference?.startsWith(reference))',
      },
    ],
    test: inReads('matches a reference as a whole, over all pages'),
  },
  {
    name: 'find reads one page',
    edits: [{ file: CLIENT, from: '      cursor = page.value.cursor;\n', to: '      cursor = null;\n' }],
    test: inReads('matches a reference as a whole, over all pages'),
  },
  {
    name: 'time-out = failed',
    edits: [
      {
        file: REPLIES,
        from: "return unknown(reply.kind === 'unknown' ? whys[reply.reason] : 'unreachable');",
        to: "return refused('time-out', 'card') as never;",
      },
    ],
    test: inClient('a time-out before and after paying look alike'),
  },
  {
    name: '5xx = failed',
    edits: [
      {
        file: REPLIES,
        from: "if (status >= 500) return unknown('5xx');",
        to: "if (status >= 500) return refused('5xx', 'card');",
      },
    ],
    test: { ...inClient('a confirmation: error-after success'), isMade: true },
  },
  {
    name: 'a code that nobody listed = failed',
    edits: [
      {
        file: REPLIES,
        from: "if (!because) return unknown('unreadable');",
        to: "if (!because) return refused(code, 'fields');",
      },
    ],
    test: inReads('{"success":false,"error":{"code":"ERROR_NEW","details":"?"}}'),
  },
  {
    name: 'an answer about another payment is taken',
    edits: [
      {
        file: CLIENT,
        from: 'onlyIf(paymentIn(data), (shown) => shown.uuid === uuid)',
        to: 'paymentIn(data)',
      },
    ],
    test: inReads('another payment'),
  },
  {
    name: 'a call that may not begin any more is sent with a fresh token',
    edits: [
      {
        file: 'infra/providers/pay/multicard-session.ts',
        from: 'if (!fresh.ok) return fresh.reply;\n    if (!mayBegin()) return tooLate();',
        to: 'if (!fresh.ok) return fresh.reply;',
      },
    ],
    test: inSignIn('is not sent a second time with a fresh token, either'),
  },
  {
    name: "a webhook's signature is not checked",
    edits: [
      {
        file: 'infra/providers/pay/multicard-webhook.ts',
        from: 'sameText(sign.toLowerCase(), expected)',
        to: 'expected',
      },
    ],
    test: inWebhook('one whose uuid, reference, amount or secret is another is forged'),
  },
];
