import express from 'express';
import request from 'supertest';
import { expect, test } from 'vitest';
import { begin, problems } from '../../../apps/http/express.ts';
import { problemPages } from '../../../apps/http/problem-pages.ts';
import { reasons } from '../../../domain/reasons.ts';
import { openLog } from '../../../infra/process/log.ts';

const app = express()
  .use(begin, problemPages())
  .use(problems({ log: openLog('api', 'fatal', { write: () => undefined }) }));

test('the page and its JSON hold every code of the catalogue once, with what to do next', async () => {
  const { text } = await request(app).get('/docs/problems').expect(200);
  const anchors = [...text.matchAll(/<article id="([^"]+)">/g)].map(([, code = '']) => code);
  expect(anchors.toSorted()).toEqual(Object.keys(reasons).toSorted());
  const { data } = (await request(app).get('/docs/problems.json').expect(200)).body;
  expect(data.map(({ code }: { code: string }) => code)).toEqual(anchors);
  expect(data.find(({ code }: { code: string }) => code === 'not-found')).toMatchObject({
    next_step: reasons['not-found'].nextStep,
    setting: null,
    seen_in: ['problem'],
  });
});

test('the type of a problem leads to its place on the page, with its prefix or without', async () => {
  for (const type of ['not-found', 'urn:navbat:problem:not-found'])
    await request(app)
      .get(`/docs/problems/${type}`)
      .expect(303)
      .expect('Location', '/docs/problems#not-found');
  for (const type of ['of-another-version', 'toString', '%0d%0aX: 1', 'urn:navbat:problem:'])
    await request(app)
      .get(`/docs/problems/${encodeURIComponent(type)}`)
      .expect(404);
});

test('the page holds no tag but its own, and no script', async () => {
  const { text, headers } = await request(app).get('/docs/problems');
  const tags = new Set([...text.matchAll(/<(\w+)/g)].map(([, name = '']) => name));
  expect([...tags].toSorted()).toEqual(
    'a article body code dd dl dt h1 h2 h3 head html meta p section style title'.split(' '),
  );
  expect(headers['content-security-policy']).toMatch(/^default-src 'none';(?!.*script-src)/);
});
