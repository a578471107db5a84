import { chmodSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, onTestFinished, test } from 'vitest';
import { writePrivate } from '../../../apps/local/private-file.ts';

test('a file is replaced as a whole, and is its owner’s alone, whatever stood there before', async () => {
  const directory = mkdtempSync(join(tmpdir(), 'navbat-private-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  const path = join(directory, 'secrets');
  for (const stale of [path, `${path}.new`]) {
    writeFileSync(stale, 'a longer text than the new one');
    chmodSync(stale, 0o644);
  }
  await writePrivate(path, 'new');
  expect(readFileSync(path, 'utf8')).toBe('new');
  expect(statSync(path).mode & 0o777).toBe(0o600);
  expect(readdirSync(directory)).toEqual(['secrets']);
});
