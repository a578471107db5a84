import { describe, expect, test } from 'vitest';
import { BOT_TOKEN, freshSandbox, say } from './support.ts';

describe('the page', () => {
  test('shows conversations and one of them, escaped, under a policy that lets nothing else in', async () => {
    const sandbox = await freshSandbox();
    await say(sandbox, 7, '<img src=x onerror=alert(1)> code 482910');
    const response = await fetch(`${sandbox.url}/inbox?to=7`);
    const page = await response.text();
    expect(page).not.toContain('<img');
    expect(page).toContain('&lt;img src=x onerror=alert(1)&gt;');
    expect(page).toMatch(/<button type="button" class="code" title="Copy">482910<\/button>/);
    const policy = response.headers.get('content-security-policy') ?? '';
    const nonce = /script-src 'nonce-([^']+)'/.exec(policy)?.[1];
    expect(policy).toContain("default-src 'none'");
    expect(page).toContain(`<script nonce="${nonce}">`);
    expect(page).not.toMatch(/\son\w+=(?!alert)|style="|https?:\/\//);
  });

  test('costs 304 while nothing is new', async () => {
    const sandbox = await freshSandbox();
    const first = await fetch(`${sandbox.url}/inbox`);
    const headers = { 'if-none-match': first.headers.get('etag') ?? '' };
    expect((await fetch(`${sandbox.url}/inbox`, { headers })).status).toBe(304);
    await say(sandbox, 7, 'new');
    expect((await fetch(`${sandbox.url}/inbox`, { headers })).status).toBe(200);
  });

  test('lets a person answer a bot, but no other site', async () => {
    const sandbox = await freshSandbox();
    await say(sandbox, 7, 'Share your number?');
    const post = (headers: Record<string, string> = {}) =>
      fetch(`${sandbox.url}/telegram/say`, {
        method: 'POST',
        redirect: 'manual',
        headers,
        body: new URLSearchParams({ chat_id: '7', act: 'contact', value: 'Share' }),
      });
    expect((await post({ 'sec-fetch-site': 'cross-site' })).status).toBe(403);
    const answered = await post();
    expect([answered.status, answered.headers.get('location')]).toEqual([303, '/inbox?to=7']);
    const updates = await (await fetch(`${sandbox.url}/bot${BOT_TOKEN}/getUpdates`)).json();
    expect(updates).toMatchObject({
      result: [{ message: { contact: { user_id: 7, phone_number: '+998900000007' } } }],
    });
  });
});
