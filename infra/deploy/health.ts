import { z } from 'zod';

/** A container's health check: exits with 0 when the URL answers 2xx in time. The image has no curl, and this process needs nothing else. */
const TIMEOUT_MS = 3_000;

const url = z.url({ protocol: /^http$/ }).parse(process.argv[2]);
const answer = await fetch(url, { signal: AbortSignal.timeout(TIMEOUT_MS) }).catch((error: unknown) => ({
  ok: false,
  status: String(error),
}));

if (!answer.ok) process.stderr.write(`${url}: ${answer.status}\n`);
process.exitCode = answer.ok ? 0 : 1;
