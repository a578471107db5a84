import { expect, test } from 'vitest';
import { portTroubles } from '../../../apps/local/ports.ts';

const choices = [
  { name: 'API_PORT', port: 3_000 },
  { name: 'BOARD_PORT', port: 3_001 },
] as const;

test('free ports that differ are no trouble', async () => {
  expect(await portTroubles(choices, async () => true)).toEqual([]);
});

test('a taken port is named with another one, and every one that is taken is told at once', async () => {
  const troubles = await portTroubles(choices, async () => false);
  expect(troubles).toHaveLength(2);
  expect(troubles[0]).toMatch(/^API_PORT: port 3000 is taken.*API_PORT=3100/);
  expect(await portTroubles(choices, async (port) => port !== 3_001)).toEqual([
    expect.stringMatching(/^BOARD_PORT/),
  ]);
});

test('two that are the same are told once, by both names', async () => {
  const twins = [choices[0], { name: 'BOARD_PORT', port: 3_000 }] as const;
  expect(await portTroubles(twins, async () => true)).toEqual([
    expect.stringMatching(/BOARD_PORT and API_PORT are both 3000/),
  ]);
});
