import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, test } from 'vitest';
import { card, page, type PageParts } from '../../../apps/board/layout.ts';
import { sessionOfToken } from '../../../apps/board/session.ts';
import type { StaffRole } from '../../../domain/staff/role.ts';

const sessionOf = (role: StaffRole) =>
  sessionOfToken({ id: 'of-nobody', email: '<b>ann@navbat.example', role }, 'a token');
const shown = (parts: Partial<PageParts>) =>
  page({ title: 'Jobs', tab: '/ops/jobs', session: sessionOf('viewer'), body: null, ...parts }).text;
const tabsOf = (html: string) =>
  [...(/<nav[^]*?<\/nav>/.exec(html)?.[0] ?? '').matchAll(/href="([^"]+)"/g)].map(([, href]) => href);

test('a tab leads where the role may go', () => {
  const all = ['/ops', '/ops/jobs', '/ops/failures', '/ops/queues', '/ops/chats', '/ops/audit', '/'];
  expect(tabsOf(shown({ session: sessionOf('admin') }))).toEqual(all);
  expect(tabsOf(shown({}))).toEqual(all.filter((href) => href !== '/ops/audit'));
  expect(shown({})).toMatch(/href="\/ops\/jobs" aria-current="page"/);
});

test('a link puts no words of its own on a page: only a known notice is shown', () => {
  expect(shown({ notice: 'retried' })).toContain('The job was accepted again.');
  for (const notice of ['Send your code to 900', 'toString', '__proto__', ['retried'], 7])
    expect(shown({ notice })).not.toContain('role="status"');
});

test('title and email are text, and no page can be read as another', () => {
  const html = shown({ title: '</title><script>' }) + card('</h1><script>', null).text;
  expect(html).not.toMatch(/<script|<b>ann/);
  expect(html).toContain('&lt;b&gt;ann@navbat.example');
});

test('the stylesheet colours what the pages hold: a link in a tile, or in a cell, takes its colour', () => {
  const css = readFileSync(join(import.meta.dirname, '../../../apps/board/assets/board.css'), 'utf8');
  expect(css).toMatch(/\.tile dd a \{\s*color: inherit;/);
  expect(css).toMatch(/td\.num a \{\s*color: inherit;/);
});
