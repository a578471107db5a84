import { expect, test } from 'vitest';
import {
  apiRules,
  boardRules,
  botRules,
  type RouteRules,
} from '../../../../domain/staff/access/route-rules.ts';

const rulesOf = (rules: RouteRules) => Object.entries(rules);
const changes = ([route]: readonly [string, unknown]) => !route.startsWith('GET ');

test('nothing of the board changes anything without a member of staff, but for the login itself', () => {
  for (const [route, rule] of rulesOf(boardRules).filter(changes))
    expect(route === 'POST /login' || rule.by === 'staff' || rule.by === 'session', route).toBe(true);
});

test('what changes asks for a right to change: a right to look opens nothing but pages and the search', () => {
  const looking = rulesOf(boardRules).filter(
    ([, rule]) => rule.by === 'staff' && rule.action.endsWith('.read'),
  );
  expect(looking.filter(changes).map(([route]) => route)).toEqual(['POST /ops/search']);
});

test('a pending session reaches the second factor and the way out, and nothing else', () => {
  const pending = rulesOf(boardRules).filter(([, rule]) => rule.by === 'session' && rule.extent !== 'full');
  for (const [route] of pending) expect(route).toMatch(/^(GET|POST) \/(login\/second-factor|logout)$/);
});

test('whatever is open to anybody says why', () => {
  for (const [route, rule] of [...rulesOf(apiRules), ...rulesOf(boardRules), ...rulesOf(botRules)])
    expect(rule.by !== 'anyone' || rule.because.length > 10, route).toBe(true);
});

test('the metrics of the API are for our own network', () => {
  expect(apiRules['GET /metrics']).toEqual({ by: 'proof', of: 'own-network' });
});
