import { describe, expect, test } from 'vitest';
import { openLog } from '../../../infra/process/log.ts';

function logged(write: (log: ReturnType<typeof openLog>) => void): string {
  let text = '';
  write(openLog('test', 'debug', { write: (line) => void (text += line) }));
  return text;
}

describe('a log line never holds', () => {
  const secret = 'hunter2-and-more';
  const names = [
    'authorization',
    'cookie',
    'Set-Cookie',
    'code',
    'otp',
    'token',
    'access_token',
    'accessToken',
    'password',
    'push_token',
    'pushToken',
    'X-Api-Key',
    'apiKey',
    'secret',
    'clientSecret',
    'code_entered',
    'otpCode',
    'body',
    'text',
  ];
  test.each(names)('what is named %s, at any depth, in arrays and in children', (name) => {
    const text = logged((log) => {
      log.info({ [name]: secret, a: { b: [{ [name]: secret }] } }, 'line');
      log.child({ request_id: 'r', [name]: secret }).warn('line');
    });
    expect(text).not.toContain(secret);
    expect(text).toContain('"request_id":"r"');
  });

  test.each([
    ['an API key', 'nbt_live_AbCdEf0123456789'],
    ['a publishable key', 'nbt_pub_test_AbCdEf0123456789'],
    ['a bot token', '7000000001:AAHdqTcvCH1vGWJxfSeofSAs0K5PALDsaw0'],
    ['a bearer token', 'Bearer abc.def-ghi'],
    ['a JSON Web Token', 'eyJhbGciOiJFZERTQSJ9.eyJzdWIiOiIxIn0.c2lnbmF0dXJl'],
    ['a webhook secret', 'whsec_c2VjcmV0c2VjcmV0c2VjcmV0'],
    ['a password in a URL', 'postgres://navbat:s3cretpass@db:5432/navbat'],
    ['a phone number', '+998901234567'],
    ['a phone number in a URL', '%2B998901234567'],
  ])('%s in a sentence, an error or its stack', (_what, text) => {
    const needle = text.includes('s3cretpass') ? 's3cretpass' : text.replace('Bearer ', '');
    const lines = logged((log) => {
      log.info(`said ${text} in passing`);
      log.error({ err: new Error(`refused: ${text}`, { cause: new Error(text) }), to: text }, 'failed');
      log.error(new Error(text));
    });
    expect(lines).not.toContain(needle);
  });

  test('what a library hangs on its errors: requests, headers, rows', () => {
    const error = Object.assign(new Error('boom'), {
      code: 'E_FAULT',
      config: { headers: { auth: 'x-y-z' } },
      detail: 'Key (phone)=(998)',
    });
    const text = logged((log) => log.error({ err: error }, 'failed'));
    expect(text).not.toContain('x-y-z');
    expect(text).not.toContain('Key (phone)');
    expect(JSON.parse(text).err).toMatchObject({ type: 'Error', message: 'boom', fault: 'E_FAULT' });
  });
});

test('a line says what it may: masked numbers, ids, statuses, bigints, dates; an endless object ends', () => {
  const endless: Record<string, unknown> = {
    n: 10n,
    at: new Date('2026-01-15T10:00:00Z'),
    bytes: Buffer.from('secret'),
  };
  endless['self'] = endless;
  const line = JSON.parse(
    logged((log) =>
      log.info({ ...endless, to: '+998901234567', status_code: 200, country_code: 'UZ' }, 'line'),
    ),
  );
  expect(line).toMatchObject({
    level: 'info',
    n: '10',
    at: '2026-01-15T10:00:00.000Z',
    bytes: '[6 bytes]',
    to: '+998•••••••67',
    status_code: 200,
    country_code: 'UZ',
    msg: 'line',
  });
});
