import {
  type ExplainedRow,
  type Part,
  PARTS,
  type PaymentExplanation,
  paymentName,
  type SignatureProof,
} from '../../../domain/pay/explain/explain.ts';
import { explainPayment } from '../../../infra/postgres/pay/explain/explanation.ts';
import { headReader } from '../../../infra/pay/signed-heads.ts';
import { table } from '../context.ts';
import { publicKeysOf } from './ledger.ts';
import type { Explainer } from '../explain.ts';

export const paymentExplainer: Explainer = {
  what: 'payout, line of a batch (batch:n), dispatch or reference of a rail',
  takes: (text) => paymentName(text) !== null,
  explain: async ({ pool, keys }, text) => {
    const name = paymentName(text);
    const explanation = name && (await explainPayment(pool, name, await headReader(publicKeysOf(keys))));
    return explanation && { lines: linesOf(explanation), json: explanation };
  },
};

const titles: Record<Part, string> = {
  asked: 'What was asked',
  hands: 'Batch and hands',
  calls: 'Dispatch, calls of the rail, receipts',
  statement: 'What the rail’s statement says',
  money: 'The book: what filled the account, hold, payment, statement',
};

function linesOf({ payouts, more, rows }: PaymentExplanation): string[] {
  return [
    `payout  ${payouts.join(', ')}${more ? ' and more of the same file: name one of them' : ''}`,
    ...PARTS.flatMap((part) => {
      const own = rows.filter((row) => row.part === part);
      return ['', titles[part], ...(own.length === 0 ? ['nothing'] : table(own.map(cellsOf)))];
    }),
  ];
}

/** Any row that is told of: when, which one by its key, what it says. */
export const cellsOf = (row: Omit<ExplainedRow, 'part'>) => [
  row.at?.toISOString() ?? '-',
  `${row.table} (${Object.entries(row.key)
    .map(([name, value]) => `${name} = '${value}'`)
    .join(' and ')})`,
  [row.says, ...chainWords(row)].join('; '),
];

const signatureWords: Readonly<Record<SignatureProof, (day: string) => string>> = {
  holds: (day) => `signed with ${day}: the signature holds`,
  'does-not-hold': (day) => `signed with ${day}: THE SIGNATURE DOES NOT HOLD`,
  'unknown-key': (day) =>
    `signed with ${day} by a key that is not known here: not checked (JWT_PREVIOUS_JWKS has earlier keys)`,
};

/** Of rows that are no transfers: nothing. */
function chainWords({ chain }: Pick<ExplainedRow, 'chain'>): string[] {
  if (chain === undefined) return [];
  if (chain === null) return ['in no block yet'];
  const { block, holds, differences, day, signature } = chain;
  const signed =
    day === null || signature === null ? 'its day is not signed yet' : signatureWords[signature](day);
  return [
    holds ? `block ${block} holds, ${signed}` : `BLOCK ${block} DOES NOT HOLD: ${differences.join(' ')}`,
  ];
}
