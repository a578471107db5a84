import { expect, test } from 'vitest';
import { smsProviders } from '../../../domain/verify/sms-provider.ts';
import { legsOf } from '../../../domain/verify/step.ts';
import { channels } from '../../../domain/verify/channel.ts';
import { otpSend } from '../../../domain/verify/job.ts';

test('the row of a send carries the id of its verification, and never a code or a phone', () => {
  const verification_id = '01990000-0000-7000-8000-000000000001';
  expect(otpSend.payload.parse({ verification_id, code: '123456', phone: '+998901234567' })).toEqual({
    verification_id,
  });
  for (const payload of [{}, { verification_id: 'x' }, { verification_id: null }, null])
    expect(otpSend.payload.safeParse(payload).success).toBe(false);
});

test('the longest chain has two tries of each leg, and three of its last', () => {
  const legs = legsOf(channels, [], { smsOrder: smsProviders });
  expect(otpSend.attemptsMax).toBe(legs.length * 2 + 1);
});
