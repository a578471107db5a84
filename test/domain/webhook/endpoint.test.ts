import { expect, test } from 'vitest';
import { endpointBodies, secretText } from '../../../domain/webhook/endpoint.ts';

const { NewEndpoint, EndpointChange } = endpointBodies(['a', 'b']);
const url = 'https://example.com';

test('an endpoint that names no types hears of every type', () => {
  expect(NewEndpoint.parse({ url })).toEqual({ url, description: null, event_types: null });
  expect(EndpointChange.parse({ event_types: null })).toEqual({ event_types: null });
});

test('types are ones that there are, at least one, and each counts once', () => {
  expect(NewEndpoint.parse({ url, event_types: ['a', 'a'] }).event_types).toEqual(['a']);
  for (const event_types of [[], ['c'], ['a', 'c'], ['a', 'b', 'a'], 'a'])
    expect(NewEndpoint.safeParse({ url, event_types }).success, JSON.stringify(event_types)).toBe(false);
});

test('a change leaves alone what it does not name', () => {
  expect(EndpointChange.parse({})).toEqual({});
  expect(EndpointChange.parse({ enabled: false })).toEqual({ enabled: false });
  expect(EndpointChange.safeParse({ secret: 'x' }).success).toBe(false);
});

test('a description has 200 characters at most', () => {
  expect(NewEndpoint.safeParse({ url, description: 'd'.repeat(200) }).success).toBe(true);
  expect(NewEndpoint.safeParse({ url, description: 'd'.repeat(201) }).success).toBe(false);
});

test('a secret is written as Standard Webhooks writes it', () => {
  expect(secretText('AAAA')).toBe('whsec_AAAA');
});
