import { expect, test } from 'vitest';
import {
  channelRules,
  channels,
  phoneProvingChannels,
  SILENT_CHANNEL,
} from '../../../domain/verify/channel.ts';

test('a channel that costs money sets some aside, and no other does', () => {
  for (const channel of channels)
    expect(channelRules[channel].reservedMicros > 0, channel).toBe(channelRules[channel].paid);
});

test('what proves a phone is paid and reported by its provider: nobody names its address but the number itself', () => {
  for (const channel of phoneProvingChannels)
    expect(channelRules[channel], channel).toMatchObject({ paid: true, confirmedBy: 'callback' });
});

test('a channel that its answer confirms is not waited for, and one that a callback confirms is', () => {
  const waitsOf = (by: string) =>
    channels
      .map((channel) => channelRules[channel])
      .filter(({ confirmedBy }) => confirmedBy === by)
      .map(({ confirmWithinSeconds }) => confirmWithinSeconds);
  expect(new Set(waitsOf('answer'))).toEqual(new Set([0]));
  expect(Math.min(...waitsOf('callback'))).toBeGreaterThan(0);
  expect(channelRules[SILENT_CHANNEL]).toMatchObject({ paid: false, confirmWithinSeconds: 0 });
});
