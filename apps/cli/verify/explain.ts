import { type Explanation, type Moment, momentsOf } from '../../../domain/identity/approval/explain.ts';
import { VerificationId } from '../../../domain/shared/ids.ts';
import { amountText } from '../../../domain/shared/payment.ts';
import { visibleLine } from '../../../domain/shared/visible-line.ts';
import { explanations } from '../../../infra/postgres/verify/explanations.ts';
import { table } from '../context.ts';
import type { Explainer } from '../explain.ts';

/** Each signature is checked again. */
export const verificationExplainer: Explainer = {
  what: 'verification',
  takes: (text) => VerificationId.safeParse(text).success,
  explain: async ({ pool }, text) => {
    const explanation = await explanations(pool).explain(VerificationId.parse(text));
    return explanation && { lines: linesOf(explanation), json: explanation };
  },
};

function linesOf(explanation: Explanation): string[] {
  const moments = momentsOf(explanation);
  const firstMs = moments[0]?.at.getTime() ?? 0;
  return [...headOf(explanation), '', ...table(moments.map((moment) => rowOf(moment, firstMs)))];
}

function headOf({ id, verification }: Explanation): string[] {
  if (!verification) return [`verification  ${id}`, 'Only what was signed is still kept.'];
  const { project, purpose, mode, state, to, channels, payment, client, expiresAt } = verification;
  const rows = [
    ['verification', id],
    ['state', state],
    ['project', mode === 'test' ? `${project} (test)` : project],
    ['purpose', purpose],
    ['to', to ?? '-'],
    ['channels', channels.join(', ')],
    // Whoever asked wrote it: a terminal must not obey it.
    [
      'from',
      [client?.ip, visibleLine(client?.user_agent ?? ''), client?.trusted && 'trusted']
        .filter(Boolean)
        .join(', ') || '-',
    ],
    ['payment', payment ? `${amountText(payment)} to ${payment.payee}` : '-'],
    ['until', expiresAt.toISOString()],
  ];
  return table(rows);
}

/** Seconds since the first moment stand beside the time, since that is what is asked for. */
const rowOf = ({ at, what, words }: Moment, firstMs: number) => [
  at.toISOString(),
  `+${((at.getTime() - firstMs) / 1_000).toFixed(3)} s`,
  what,
  words,
];
