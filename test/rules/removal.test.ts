import { existsSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { copyWithout, linesWithout } from './removal.ts';

// What asks every route goes with the first import that is missing, and nobody would notice.
test('without pay the walk of the policy is left: its fixtures are lines of a registry', () => {
  expect(existsSync(join(copyWithout('pay'), 'test/rules/policy.system.test.ts'))).toBe(true);
});

test('of a registry go the imports from the folders of a product, in several lines too, and what uses them', () => {
  const registry = [
    "import { chatLine } from './message/telegram/line.ts';",
    'import {',
    '  type Press,',
    '  presses as pressesOf,',
    "} from './message/presses.ts';",
    "import { messageText } from './shared/message-text.ts';",
    'export const lines = {',
    "  'telegram-message': chatLine(1),",
    '  presses: pressesOf(),',
    "  message: ['push'],",
    "  webhook: { owner: 'message', text: messageText },",
    '  chatLines: messageText,',
    '};',
  ];
  expect(linesWithout('message', registry.join('\n')).split('\n')).toEqual([
    registry[5],
    registry[6],
    registry[11],
    registry[12],
  ]);
});
