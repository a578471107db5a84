import { createServer } from 'node:http';
import { serve } from '../support/http-servers.ts';

/** Answers 202 and nothing else: what the load generator and Node's HTTP server can do at most, together on this machine. */
await serve(async () => ({
  server: createServer((req, res) => {
    req.resume();
    res.writeHead(202, { 'Content-Type': 'application/json', 'Content-Length': 2 }).end('{}');
  }),
}));
