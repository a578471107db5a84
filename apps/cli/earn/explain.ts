import {
  TRAFFIC_PARTS,
  type TrafficExplanation,
  trafficName,
  type TrafficPart,
} from '../../../domain/earn/explain/explain.ts';
import { explainTraffic } from '../../../infra/postgres/earn/explain/explanation.ts';
import { headReader } from '../../../infra/pay/signed-heads.ts';
import { table } from '../context.ts';
import type { Explainer } from '../explain.ts';
import { cellsOf } from '../pay/explain.ts';
import { publicKeysOf } from '../pay/ledger.ts';

export const trafficExplainer: Explainer = {
  what: 'session of traffic, or person on a day (person:2026-11-29)',
  takes: (text) => trafficName(text) !== null,
  explain: async ({ pool, keys }, text) => {
    const name = trafficName(text);
    const explanation = name && (await explainTraffic(pool, name, await headReader(publicKeysOf(keys))));
    return explanation && { lines: linesOf(explanation), json: explanation };
  },
};

const titles: Record<TrafficPart, string> = {
  session: 'The session',
  reports: 'What the phone and gateways said: the newest reports',
  days: 'What its days earn, and at which price',
  hands: 'Who decided',
  money: 'The book',
};

function linesOf({ sessions, more, rows }: TrafficExplanation): string[] {
  return [
    `session  ${sessions.join(', ')}${more ? ' and more of the same day: name one of them' : ''}`,
    ...TRAFFIC_PARTS.flatMap((part) => {
      const own = rows.filter((row) => row.part === part);
      return ['', titles[part], ...(own.length === 0 ? ['nothing'] : table(own.map(cellsOf)))];
    }),
  ];
}
