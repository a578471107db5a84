import { execFile } from 'node:child_process';
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { fileURLToPath } from 'node:url';
import { expect, test } from 'vitest';
import { baseVariables } from '../../support/environment.ts';

const script = fileURLToPath(new URL('../../../infra/deploy/health.ts', import.meta.url));
const check = (url: string) =>
  new Promise<{ code: number; err: string }>((resolve) => {
    execFile(process.execPath, [script, url], { env: baseVariables }, (error, _out, err) =>
      resolve({ code: Number(error?.code ?? 0), err }),
    );
  });

test('a container is healthy where its address answers 2xx, and what it answers else is told', async () => {
  const server = createServer((request, response) => {
    response.writeHead(request.url === '/well' ? 204 : 503).end();
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  const [well, ill, nobody, other] = await Promise.all([
    check(`${url}/well`),
    check(`${url}/ill`),
    check('http://127.0.0.1:1/'),
    check('file:///etc/passwd'),
  ]);
  server.close();
  expect(well).toEqual({ code: 0, err: '' });
  expect(ill).toEqual({ code: 1, err: `${url}/ill: 503\n` });
  expect([nobody.code, other.code]).toEqual([1, 1]);
});
