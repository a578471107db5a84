import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { pino } from 'pino';
import { expect, onTestFinished, test } from 'vitest';
import { Settings } from '../../../apps/sandbox/settings-file.ts';

const log = pino({ level: 'silent' });
function home() {
  const directory = mkdtempSync(join(tmpdir(), 'navbat-settings-'));
  onTestFinished(() => rmSync(directory, { recursive: true }));
  return directory;
}
const bot = { id: 1, nextUpdateId: 2, updates: [], chats: [], commands: [] };

test('what is in force is there after a restart, and nothing half written stays', async () => {
  const directory = home();
  const settings = await Settings.open(directory, log);
  expect(settings.saved).toEqual({ faults: [], bots: [] });
  settings.watch(() => ({ faults: [], bots: [bot] }));
  await settings.flush();
  expect(readdirSync(directory)).toEqual(['state.json']);
  expect((await Settings.open(directory, log)).saved.bots).toEqual([bot]);
});

test('a state that can not be read is started without', async () => {
  for (const text of ['', '{', '[]', '{"faults":1,"bots":[]}']) {
    const directory = home();
    writeFileSync(join(directory, 'state.json'), text);
    expect((await Settings.open(directory, log)).saved, text).toEqual({ faults: [], bots: [] });
  }
});

test('until it is said what is in force, nothing is written', async () => {
  const directory = home();
  await (await Settings.open(directory, log)).flush();
  expect(readdirSync(directory)).toEqual([]);
});
