import { createServer } from 'node:http';
import { Queue } from 'bullmq';
import express from 'express';
import { serve } from '../support/http-servers.ts';

/** What many services are today: an Express handler that parses JSON, calls `queue.add` and answers. It checks nothing. */
await serve(async () => {
  const queue = new Queue('bare', { connection: { url: process.env['REDIS_URL'] ?? '' } });
  const app = express();
  app.use(express.json());
  app.post('/otp/send', async (req, res) => {
    const job = await queue.add('send', req.body);
    res.status(202).json({ job_id: job.id });
  });
  return { server: createServer(app), close: () => queue.close() };
});
