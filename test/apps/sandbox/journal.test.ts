import { appendFileSync, mkdtempSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { afterAll, expect, test } from 'vitest';
import { Journal, readTail } from '../../../apps/sandbox/journal.ts';

const directory = mkdtempSync(join(tmpdir(), 'navbat-journal-'));
afterAll(() => rmSync(directory, { recursive: true }));
const log = pino({ level: 'silent' });
const pathOf = (name: string) => join(directory, name);
async function write(path: string, ...records: object[]) {
  const journal = await Journal.open(path, log);
  for (const record of records) journal.append(record);
  await journal.close();
}

test('what was appended is read back in its order, and is its owner’s alone', async () => {
  const path = pathOf('order');
  await write(path, { n: 1 }, { n: 2 });
  await write(path, { n: 3 });
  expect(await readTail(path, 10_000)).toEqual([{ n: 1 }, { n: 2 }, { n: 3 }]);
  expect(statSync(path).mode & 0o777).toBe(0o600);
});

test('a line that a kill has torn is left out, and the next one stands alone', async () => {
  const path = pathOf('torn');
  writeFileSync(path, '{"n":1}\n{"n":');
  await write(path, { n: 2 });
  expect(await readTail(path, 10_000)).toEqual([{ n: 1 }, { n: 2 }]);
});

test('of a long file its end is read, from the first whole line', async () => {
  const path = pathOf('long');
  await write(path, { n: 1 }, { n: 2 }, { n: 3 });
  expect(await readTail(path, 20)).toEqual([{ n: 2 }, { n: 3 }]);
  expect(await readTail(pathOf('none'), 20)).toEqual([]);
});

test('a file that has grown too large is set aside at a start, and still read', async () => {
  const path = pathOf('large');
  appendFileSync(path, '{"n":1}\n');
  const journal = await Journal.open(path, log, 5);
  journal.append({ n: 2 });
  await journal.close();
  expect(readFileSync(`${path}.old`, 'utf8')).toBe('{"n":1}\n');
  expect(await readTail(path, 10_000)).toEqual([{ n: 1 }, { n: 2 }]);
});
