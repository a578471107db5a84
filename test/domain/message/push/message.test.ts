import { expect, test } from 'vitest';
import { PushContent } from '../../../../domain/message/push/message.ts';
import { PAYLOAD_BYTES_MAX, payloadBytes } from '../../../../domain/push/payload.ts';
import { freshSandbox } from '../../../apps/sandbox/support.ts';

const sendTo = (url: string, message: object) =>
  fetch(`${url}/v1/projects/sandbox/messages:send`, {
    method: 'POST',
    headers: { authorization: 'Bearer sandbox' },
    body: JSON.stringify({ message: { token: 'a-token', ...message } }),
  });

const filled = (value: string) => ({ data: { a: value } });
const room = PAYLOAD_BYTES_MAX - payloadBytes(filled(''));

test.each([
  [
    'a plain key',
    { data: { screen: 'wallet', notification: 'x', 'order.from': '1', googleplex: '1' } },
    true,
  ],
  ...['from', 'message_type', 'collapse_key', 'google', 'google.sent_time', 'gcm.n.e', 'GCM.x'].map(
    (key) => [`the key ${key}`, { data: { [key]: '1' } }, false] as const,
  ),
  ['4 096 bytes', filled('a'.repeat(room)), true],
  ['4 097 bytes', filled('a'.repeat(room + 1)), false],
  ['4 096 bytes in Cyrillic', filled('я'.repeat(Math.floor(room / 2))), true],
  ['4 098 bytes in Cyrillic', filled('я'.repeat(Math.floor(room / 2) + 1)), false],
] as const)('%s: the intake and the sandbox agree', async (_what, content, isTaken) => {
  const sandbox = await freshSandbox();
  expect(PushContent.safeParse(content).success).toBe(isTaken);
  expect((await sendTo(sandbox.url, content)).status).toBe(isTaken ? 200 : 400);
});
