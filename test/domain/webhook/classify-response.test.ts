import { describe, expect, test } from 'vitest';
import { callFaults } from '../../../domain/webhook/call-fault.ts';
import { classifyResponse } from '../../../domain/webhook/classify-response.ts';

const now = new Date('2026-01-15T10:00:00Z');
const answered = (status: number, retryAfter: string | null = null, snoozes = 0) =>
  classifyResponse({ kind: 'answered', status, retryAfter, body: '' }, 'r', snoozes, now);

describe('an answer of a customer’s server', () => {
  test('is a success from 200 to 299, and nothing else is', () => {
    for (let status = 100; status < 600; status++)
      expect(answered(status).reply.kind === 'accepted', `${status}`).toBe(status >= 200 && status < 300);
  });

  test('of 410 alone means that it wants no more', () => {
    for (let status = 300; status < 600; status++)
      expect(answered(status).health === 'gone', `${status}`).toBe(status === 410);
  });

  test('that redirects is followed nowhere: it is a fault like any other', () => {
    expect(answered(302)).toEqual({ reply: { kind: 'faulted', reason: 'http-3xx' }, health: 'failing' });
    expect(answered(404).reply).toEqual({ kind: 'faulted', reason: 'http-4xx' });
    expect(answered(500).reply).toEqual({ kind: 'faulted', reason: 'http-5xx' });
  });

  test('of 429 or 503 that asks for time gets it: a second at least, an hour at most', () => {
    for (const status of [429, 503])
      for (const [asked, ms] of [
        ['0', 1_000],
        ['1', 1_000],
        ['60', 60_000],
        ['3600', 3_600_000],
        ['999999', 3_600_000],
      ] as const)
        expect(answered(status, asked).reply).toEqual({
          kind: 'busy',
          because: 'provider-busy',
          retryAfterMs: ms,
        });
    expect(answered(500, '60').reply.kind).toBe('faulted');
    expect(answered(503).reply.kind).toBe('faulted');
    expect(answered(503, 'soon').reply.kind).toBe('faulted');
  });

  test('gets time ten times, and is then a failure like any other', () => {
    expect(answered(503, '60', 9).reply.kind).toBe('busy');
    expect(answered(503, '60', 10).reply.kind).toBe('faulted');
  });

  test('that asks for time still counts as failing, so that it can not go on for ever', () => {
    expect(answered(429, '60').health).toBe('failing');
  });
});

test('a call that may have arrived is unknown, and one that can not have is a fault', () => {
  const reply = (fault: (typeof callFaults)[number]) =>
    classifyResponse({ kind: 'in-vain', fault }, 'r', 0, now).reply.kind;
  const arrived = new Set(['timeout', 'connection-lost', 'answer-unreadable', 'interrupted']);
  for (const fault of callFaults)
    expect(reply(fault), fault).toBe(arrived.has(fault) ? 'unknown' : 'faulted');
});

test('a call that we broke off ourselves says nothing of the endpoint', () => {
  for (const fault of callFaults)
    expect(classifyResponse({ kind: 'in-vain', fault }, 'r', 0, now).health, fault).toBe(
      fault === 'interrupted' ? 'unknown' : 'failing',
    );
});
