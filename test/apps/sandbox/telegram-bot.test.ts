import { describe, expect, test } from 'vitest';
import { CHAT, apiOf, freshSandbox, person } from './support.ts';
import { eventually } from '../../support/eventually.ts';

describe('a poll', () => {
  test('waits for an update, and offset confirms what came before', async () => {
    const sandbox = await freshSandbox();
    const api = apiOf(sandbox);
    const waiting = api.getUpdates({ timeout: 10 });
    await eventually(() => person(sandbox, { bot: 7000000001, text: 'one' }));
    const [first] = await waiting;
    expect(first).toMatchObject({
      message: { text: 'one', from: { id: CHAT, is_bot: false }, chat: { id: CHAT } },
    });
    await person(sandbox, { text: 'two' });
    expect(await api.getUpdates({})).toHaveLength(2);
    const [second, ...rest] = await api.getUpdates({ offset: (first?.update_id ?? 0) + 1 });
    expect(second).toMatchObject({ update_id: (first?.update_id ?? 0) + 1, message: { text: 'two' } });
    expect(rest).toEqual([]);
    expect(await api.getUpdates({ offset: (second?.update_id ?? 0) + 1, timeout: 0 })).toEqual([]);
  });

  test('is ended by a second one with 409', async () => {
    const sandbox = await freshSandbox();
    const first = apiOf(sandbox)
      .getUpdates({ timeout: 10 })
      .catch((thrown: unknown) => thrown);
    await eventually(async () => {
      await apiOf(sandbox).getUpdates({ timeout: 0 });
      await expect(Promise.race([first, Promise.resolve('still waiting')])).resolves.toMatchObject({
        errorCode: 409,
      });
    });
  });
});
