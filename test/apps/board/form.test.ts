import express from 'express';
import supertest from 'supertest';
import { expect, test } from 'vitest';
import { readForm } from '../../../apps/board/form.ts';
import { begin, problems } from '../../../apps/http/express.ts';
import { openLog } from '../../../infra/process/log.ts';

const app = express()
  .use(begin, readForm, (req, res) => void res.json(req.body ?? null))
  .use(problems({ log: openLog('board', 'fatal', { write: () => undefined }) }));

const post = (body: Buffer | string, type = 'application/x-www-form-urlencoded') =>
  supertest(app)
    .post('/')
    .set('Content-Type', type)
    .serialize(() => body as string)
    .send({});

test('a form is read as it was typed, and JSON that a program sends in its place too', async () => {
  const typed = `q=%2B998+90&why=${encodeURIComponent('o‘zbekcha & <b>')}`;
  const read = { q: '+998 90', why: 'o‘zbekcha & <b>' };
  expect((await post(typed)).body).toEqual(read);
  expect((await post(typed, 'Application/X-WWW-Form-Urlencoded; charset=utf-8')).body).toEqual(read);
  expect((await post(JSON.stringify(read), 'application/json')).body).toEqual(read);
});

test('a form of 8 192 bytes is read and one byte more is refused, as JSON too', async () => {
  const statusOf = async (bytes: number) => (await post(`q=${'x'.repeat(bytes - 2)}`)).status;
  expect([await statusOf(8_192), await statusOf(8_193)]).toEqual([200, 413]);
  expect((await post(JSON.stringify({ q: 'x'.repeat(8_192) }), 'application/json')).status).toBe(413);
  const deep = JSON.stringify({ q: Array.from({ length: 201 }, () => 0) });
  expect((await post(deep, 'application/json')).status).toBe(400);
});

test('a form that is not UTF-8 is refused, and what comes with a request for a page is not read', async () => {
  expect((await post(Buffer.from([0x71, 0x3d, 0xff]))).status).toBe(400);
  const page = await supertest(app).get('/').set('Content-Type', 'text/plain').send('q=1');
  expect([page.status, page.body]).toEqual([200, null]);
});
