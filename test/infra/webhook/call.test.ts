import { execFileSync } from 'node:child_process';
import { mkdtempSync, readFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, onTestFinished, test } from 'vitest';
import { type CallOptions, webhookCaller } from '../../../infra/webhook/call.ts';
import { isPublic } from '../../../domain/shared/ip-address.ts';
import type { Address } from '../../../infra/webhook/resolve.ts';
import { urlFault } from '../../../infra/webhook/url-fault.ts';
import { silence, startReceiver, status } from '../../support/webhook-receiver.ts';

const anywhere = { rules: { allowPrivate: true }, isAllowed: () => true };
const nobody = () => Promise.reject(new Error('nobody asks for an address'));

function openCaller(options: Partial<CallOptions> = {}) {
  const caller = webhookCaller({ ...anywhere, resolve: nobody, ...options });
  onTestFinished(caller.close);
  return (url: string, signal = new AbortController().signal) =>
    caller.call({ url, headers: { 'content-type': 'application/json' }, body: '{}' }, signal);
}

const address = (text: string): Address => ({ address: text, family: text.includes(':') ? 6 : 4 });

describe('an address is of the open internet', () => {
  test('or is refused, in every form that leads inside', () => {
    const inside = [
      '0.0.0.0 10.0.0.1 100.64.0.1 127.0.0.1 127.9.9.9 169.254.169.254 172.16.0.1 172.31.255.255 192.0.0.8 192.0.2.1',
      '192.88.99.1 192.168.1.1 198.18.0.1 198.51.100.1 203.0.113.1 224.0.0.1 239.1.1.1 240.0.0.1 255.255.255.255',
      ':: ::1 ::7f00:1 ::ffff:127.0.0.1 ::ffff:10.0.0.1 ::ffff:8.8.8.8 ::ffff:0:10.0.0.1 64:ff9b::a00:1 64:ff9b:1::a00:1',
      '100::1 2001::1 2001:2::1 2001:db8::1 2002:7f00:1:: 3fff::1 5f00::1 fc00::1 fdff::1 fe80::1 fec0::1 ff02::1',
      // What a cloud's own host answers at: AWS, Azure, Alibaba, Oracle.
      '169.254.170.2 fd00:ec2::254 168.63.129.16 ::ffff:168.63.129.16 100.100.100.200 192.0.0.192',
    ];
    for (const text of inside.join(' ').split(' ')) expect(isPublic(text), text).toBe(false);
    for (const text of ['8.8.8.8', '1.1.1.1', '172.15.0.1', '172.32.0.1', '100.128.0.1', '2606:4700::1111'])
      expect(isPublic(text), text).toBe(true);
  });

  test('of a URL: written in any way, before anything is stored', () => {
    const fault = urlFault({ allowPrivate: false });
    const inside = [
      'https://127.0.0.1/',
      'https://0x7f.1/',
      'https://2130706433/',
      'https://017700000001/',
      'https://[::1]/',
      'https://[::ffff:10.0.0.1]/',
      'https://localhost/',
      'https://db.localhost/',
      'https://localhost./',
      'https://redis/',
      'https://metadata/',
      'https://metadata.google.internal/',
      'https://METADATA.google.internal./',
      'https://printer.local/',
      'https://nas.home.arpa/',
      'https://168.63.129.16/',
      'https://[2002:a00:1::]/',
    ];
    for (const url of inside) expect(fault(url), url).toContain('open internet');
    for (const url of [
      'http://example.com/',
      'ftp://example.com/',
      'https://u:p@example.com/',
      'https://example.com:22/',
      'https://example.com/#x',
      '/relative',
      `https://example.com/${'x'.repeat(2_048)}`,
    ])
      expect(fault(url), url).not.toBeNull();
    for (const url of ['https://example.com/a?b=c', 'https://example.com:8443/', 'https://8.8.8.8/'])
      expect(fault(url), url).toBeNull();
  });
});

describe('a name', () => {
  /** In these tests 127.0.0.2 plays the open internet, and 127.0.0.1 an inside that must not be reached. */
  const isAllowed = (to: Address) => to.address !== '127.0.0.1';

  test('that leads inside at its second look-up is called where the first one led, and is then refused', async () => {
    const outside = await startReceiver({ host: '127.0.0.2' });
    const inside = await startReceiver({ host: '127.0.0.1', port: outside.port });
    const answers = ['127.0.0.2'];
    let lookUps = 0;
    const resolve = () => {
      lookUps++;
      return Promise.resolve([address(answers.shift() ?? '127.0.0.1')]);
    };
    const call = openCaller({ resolve, isAllowed });
    const url = `http://rebinding.test:${outside.port}/`;

    expect(await call(url)).toMatchObject({ kind: 'answered', status: 204 });
    expect(lookUps).toBe(1);
    // The connection from before is still open, and must not be an excuse.
    expect(await call(url)).toEqual({ kind: 'in-vain', fault: 'address-forbidden' });
    expect(outside.received).toHaveLength(1);
    expect(inside.received).toHaveLength(0);
    expect(outside.received[0]?.headers.host).toBe(`rebinding.test:${outside.port}`);
  });

  test('with one bad address among good ones is refused', async () => {
    const outside = await startReceiver({ host: '127.0.0.2' });
    const resolve = () => Promise.resolve([address('127.0.0.2'), address('127.0.0.1')]);
    const call = openCaller({ resolve, isAllowed });
    expect(await call(`http://both.test:${outside.port}/`)).toEqual({
      kind: 'in-vain',
      fault: 'address-forbidden',
    });
    expect(outside.received).toHaveLength(0);
  });

  test('that has no address, or whose servers are silent, is told apart from a refusal', async () => {
    const call = openCaller({ resolve: (name) => (name === 'none.test' ? Promise.resolve([]) : nobody()) });
    expect(await call('http://none.test/')).toEqual({ kind: 'in-vain', fault: 'name-unresolved' });
    const waiting = openCaller({ resolve: () => new Promise(() => undefined) });
    expect(await waiting('http://slow.test/', AbortSignal.timeout(50))).toEqual({
      kind: 'in-vain',
      fault: 'timeout',
    });
  });

  test('keeps its own name for its certificate, though we connect to an address', async () => {
    const tls = certificateFor('hooks.example.com');
    const receiver = await startReceiver({ host: '127.0.0.2', tls });
    const call = openCaller({ resolve: () => Promise.resolve([address('127.0.0.2')]), ca: tls.cert });
    const at = (name: string) => call(`https://${name}:${receiver.port}/`);
    expect(await at('hooks.example.com')).toMatchObject({ kind: 'answered', status: 204 });
    expect(await at('other.example.com')).toEqual({ kind: 'in-vain', fault: 'tls' });
    expect(receiver.received).toHaveLength(1);
  });
});

describe('an answer', () => {
  test('that redirects is not followed', async () => {
    const inside = await startReceiver();
    const receiver = await startReceiver();
    receiver.answer(status(302, { location: `${inside.url}/admin` }));
    expect(await openCaller()(receiver.url)).toMatchObject({ kind: 'answered', status: 302 });
    expect(inside.received).toHaveLength(0);
  });

  test('without end is read to its first kilobyte, and no secret of it is kept', async () => {
    const receiver = await startReceiver();
    receiver.answer((_request, res) => {
      res.writeHead(200).write(`key nbt_live_${'a'.repeat(32)} for +998901234567\0`);
      const flood = setInterval(() => res.write('x'.repeat(65_536)), 1);
      res.on('close', () => clearInterval(flood));
    });
    const called = await openCaller()(receiver.url);
    if (called.kind !== 'answered') throw new Error(called.fault);
    expect(called.status).toBe(200);
    expect(called.body.length).toBeLessThanOrEqual(1_024);
    expect(called.body).not.toMatch(/nbt_live_a|901234567|\0/);
  });

  test('that never begins is a time-out; one cut off, refused or unreadable is each told as such', async () => {
    const receiver = await startReceiver();
    const call = openCaller();
    receiver.answer(silence);
    expect(await call(receiver.url, AbortSignal.timeout(200))).toEqual({
      kind: 'in-vain',
      fault: 'timeout',
    });
    receiver.answer((_request, res) => res.destroy());
    expect(await call(receiver.url)).toEqual({ kind: 'in-vain', fault: 'connection-lost' });
    receiver.answer((_request, res) => res.socket?.end('good day\r\n'));
    expect(await call(receiver.url)).toEqual({ kind: 'in-vain', fault: 'answer-unreadable' });
    expect(await call('http://127.0.0.1:1024/')).toEqual({ kind: 'in-vain', fault: 'not-connected' });
    const stopping = new AbortController();
    receiver.answer(() => stopping.abort());
    expect(await call(receiver.url, stopping.signal)).toEqual({ kind: 'in-vain', fault: 'interrupted' });
  });

  test('whose body never ends keeps nobody waiting', async () => {
    const receiver = await startReceiver();
    receiver.answer((_request, res) => void res.writeHead(200).write('well'));
    expect(await openCaller()(receiver.url)).toMatchObject({ kind: 'answered', status: 200, body: 'well' });
  });
});

function certificateFor(name: string): { key: string; cert: string } {
  const directory = mkdtempSync(join(tmpdir(), 'navbat-tls-'));
  const [key, cert] = [join(directory, 'key.pem'), join(directory, 'cert.pem')];
  const kind = ['-x509', '-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:prime256v1', '-nodes', '-days', '1'];
  const subject = ['-subj', `/CN=${name}`, '-addext', `subjectAltName=DNS:${name}`];
  execFileSync('openssl', ['req', ...kind, ...subject, '-keyout', key, '-out', cert], { stdio: 'ignore' });
  return { key: readFileSync(key, 'utf8'), cert: readFileSync(cert, 'utf8') };
}
