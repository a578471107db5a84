import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { migrations } from '../../infra/postgres/schema.ts';

/** One that ran somewhere is never edited: databases would differ under one name. A change is a new migration. */
const frozen: Readonly<Record<string, string>> = {
  '20261129000100-project-baseline.ts': 'e4277215966e7bd09b27a24b81439509db17c21e5e6506238af715ad33e2cc43',
  '20261129000200-job-baseline.ts': '23038edd6850d6b3f9491008f5d18b44edb32292ad554597258658178197cd3a',
  '20261129000300-identity-baseline.ts': '946e6c2586cf76d475309dffdde47601475cc74b99d85e8a3198484a33b65782',
  '20261129000400-webhook-baseline.ts': '6bf2497215dc0cc4ddeae2703e2e87f16d0690f35bbcd71d6f04e9a21a0a3996',
  '20261129000500-staff-baseline.ts': '229238e30990e89f33f67f90e2d05a3d6e96c8b6116cc951dbb9b105c7c7d947',
  '20261129000600-verify-baseline.ts': '12d9f6cebc6b57124f11cb2274aa89f45dbe675b409e8da62d56aa61db92cb4d',
  '20261129000700-message-baseline.ts': 'e07e6eba2193da40bfa4f8b40583feb743d26132751e22aa5cbbf54fb902987b',
};

const root = resolve(import.meta.dirname, '../../infra/postgres');
const files = globSync('*/migrations/*.ts', { cwd: root }).toSorted((a, b) =>
  basename(a) < basename(b) ? -1 : 1,
);
const hashOf = (path: string): string =>
  createHash('sha256')
    .update(readFileSync(join(root, path)))
    .digest('hex');

test('each is as it was when it was first applied', () => {
  expect(Object.fromEntries(files.map((path) => [basename(path), hashOf(path)]))).toEqual(frozen);
});

test('each is in the folder of the context that its name says, and in the list in the order of their times', () => {
  const classOf = (path: string): string =>
    `Migration${basename(path, '.ts')
      .split('-')
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join('')}`;
  expect(files.map((path) => path.split('/')[0])).toEqual(files.map((path) => basename(path).split('-')[1]));
  expect(migrations.map(({ name }) => name)).toEqual(files.map(classOf));
});
