import { type RequestHandler, Router, static as files } from 'express';
import { readFileSync } from 'node:fs';
import { resolve } from 'node:path';
import { describe, expect, test } from 'vitest';
import { type AppParts, createApp } from '../../apps/http/app.ts';
import { sessionVias } from '../../domain/staff/session.ts';
import { routesOf } from './policy/express-routes.ts';
import { gaps } from './policy/gaps.ts';
import { accessPage } from './policy/page.ts';
import { routes, rules } from './policy/rules.ts';
import type { AnyRule } from './policy/walk.ts';
import type { App } from './policy/world.ts';

/** What the rules of routes say; `policy.system.test.ts` asks every route of the processes as every role. */

const PAGE = resolve(import.meta.dirname, '../../docs/access.md');

test('docs/access.md says who may what: a rule that is changed is seen to be', async () => {
  await expect(accessPage(rules)).toMatchFileSnapshot(PAGE);
});

describe('it is seen, where there is', () => {
  const handler: RequestHandler = (_req, res) => void res.end();
  const withRouter = (router: Router) =>
    routesOf(createApp({ routes, routers: [router], proxies: 0 } as unknown as AppParts));

  test.each<[string, Router, string]>([
    ['on the app', Router().get('/backdoor', handler), 'GET /backdoor'],
    [
      'of several methods',
      Router().all('/otp/send/backdoor', handler).put('/backdoor', handler),
      'PUT /backdoor',
    ],
    [
      'in a router of a router',
      Router().use('/deep', Router().post('/:id/door', handler)),
      'POST /deep/:id/door',
    ],
    ['that is a folder of files', Router().use('/files', files('.')), 'GET /files/*file'],
    ['that is mounted as a function', Router().use('/function', handler), 'USE /function'],
  ])('a route without a rule %s', (_where, router, route) => {
    expect(gaps(withRouter(router), rules.api)).toContain(`${route} has no rule`);
  });

  test('a rule without a route', () => {
    const found = withRouter(Router()).filter((route) => route !== 'GET /jobs');
    expect(gaps(found, rules.api)).toContain('the rule of GET /jobs has no route');
  });

  test.each<[string, App, string, AnyRule]>([
    ['of a key', 'api', 'GET /jobs', { by: 'key', scope: 'public', testKeys: 'apart' }],
    ['of a test key', 'api', 'GET /recipients', { by: 'key', scope: 'recipients', testKeys: 'apart' }],
    ['of a person', 'api', 'DELETE /me/devices/:id', { by: 'person', session: 'app' }],
    ['of staff', 'board', 'POST /ops/retry', { by: 'staff', action: 'ops.read', credentials: ['cookie'] }],
    [
      'of sessions of staff',
      'board',
      'POST /staff/sessions/second-factor',
      { by: 'session', extent: 'pending-2fa', credentials: sessionVias },
    ],
    ['of Telegram', 'bot', 'POST /telegram/webhook', { by: 'anyone', because: 'of haste' }],
  ])('a rule that was weakened: %s', (_whose, app, route, rule) => {
    expect(route in rules[app]).toBe(true);
    expect(accessPage({ ...rules, [app]: { ...rules[app], [route]: rule } })).not.toBe(
      readFileSync(PAGE, 'utf8'),
    );
  });
});
