import { expect, test } from 'vitest';
import { JobId } from '../../../domain/shared/ids.ts';
import { twilioCallbacks } from '../../../infra/providers/verify/twilio-callback.ts';
import { reportStatus, type StatusReport } from '../../../apps/sandbox/twilio-callback.ts';

const url = 'https://navbat.example/callbacks/twilio/x/1?a=b%20c';
const authToken = 'secret';

/** What would be posted for a status, as the receiver gets it. */
function posted(status: StatusReport['status'], authToken_ = authToken) {
  let sent = { headers: {} as Record<string, string>, body: '' };
  const world = {
    timing: { callbackPauseMs: 1 },
    caller: {
      deliver: async (callback: { compose: () => typeof sent }) => {
        sent = callback.compose();
        return true;
      },
    },
  };
  const message = {
    provider_reference: 'SM1',
    from: '+15005550006',
    to: '+998901234567',
    details: {},
    error_code: 30_003,
  };
  reportStatus(
    world as never,
    {
      message,
      status,
      account: { sid: 'AC1', authToken: authToken_ },
      url,
      apiVersion: '2010-04-01',
    } as never,
  );
  return sent;
}
const read = ({ headers, body }: ReturnType<typeof posted>) =>
  twilioCallbacks({ authToken }).read(
    {
      url,
      headers,
      body: Buffer.from(body),
      jobId: JobId.parse('01990000-0000-7000-8000-000000000001'),
      attempt: 1,
    },
    new Date(),
  );

test('a report is signed as Twilio signs, so that our own reader takes it', () => {
  expect(read(posted('delivered'))).toMatchObject({
    kind: 'report',
    reference: 'SM1',
    report: { status: 'delivered' },
  });
  expect(read(posted('delivered', 'other'))).toEqual({ kind: 'forged' });
});

test('only a message that did not arrive carries an error', () => {
  expect(new URLSearchParams(posted('undelivered').body).get('ErrorCode')).toBe('30003');
  expect(new URLSearchParams(posted('delivered').body).has('ErrorCode')).toBe(false);
});
