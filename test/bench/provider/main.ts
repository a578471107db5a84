import { createServer } from 'node:http';
import { createInterface } from 'node:readline';
import { serve } from '../support/http-servers.ts';
import type { Calls } from './calls.ts';

/** Speaks as much of the Bot API and of FCM v1 as a send needs, takes everything at once, and remembers when it was called. */
await serve(async () => {
  let calls: [string, number][] = [];
  createInterface({ input: process.stdin }).on('line', () => {
    console.log(JSON.stringify({ bench: 'calls', calls } satisfies Calls));
    calls = [];
  });
  let messages = 0;
  const server = createServer((req, res) => {
    const atMs = performance.timeOrigin + performance.now();
    let body = '';
    req.setEncoding('latin1');
    req.on('data', (chunk: string) => (body += chunk));
    req.on('end', () => {
      if (req.url?.startsWith('/v1/')) {
        const { message } = JSON.parse(body) as { message: { token?: string } };
        calls.push([message.token ?? '', atMs]);
        res.writeHead(200, { 'Content-Type': 'application/json' });
        res.end(JSON.stringify({ name: `projects/bench/messages/${++messages}` }));
        return;
      }
      const chat = new URLSearchParams(body).get('chat_id') ?? '';
      calls.push([chat, atMs]);
      const result = {
        message_id: ++messages,
        date: Math.floor(atMs / 1_000),
        chat: { id: Number(chat), type: 'private' },
      };
      res.writeHead(200, { 'Content-Type': 'application/json' }).end(JSON.stringify({ ok: true, result }));
    });
  });
  return { server };
});
