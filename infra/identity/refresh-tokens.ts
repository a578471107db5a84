import { timingSafeEqual } from 'node:crypto';
import { parse, stringify } from 'uuid';
import { SessionId } from '../../domain/identity/session/session.ts';
import type { KeyedHash } from '../process/crypto.ts';

const SESSION_BYTES = 16;
const GENERATION_BYTES = 4;
const MAC_BYTES = 32;
const NAME_BYTES = SESSION_BYTES + GENERATION_BYTES;

/** What a refresh token names: a session, after so many refreshes. */
export interface RefreshName {
  readonly sessionId: SessionId;
  readonly generation: number;
}

/** base64url of session, generation and their keyed hash: nothing of it is stored, and without the key nobody makes the next. */
export function refreshToken(hash: KeyedHash, { sessionId, generation }: RefreshName): string {
  const name = Buffer.alloc(NAME_BYTES);
  name.set(parse(sessionId));
  name.writeUInt32BE(generation, SESSION_BYTES);
  return Buffer.concat([name, macOf(hash, name)]).toString('base64url');
}

/** Null where we never made it. */
export function readRefreshToken(hash: KeyedHash, text: string): RefreshName | null {
  const bytes = Buffer.from(text, 'base64url');
  if (bytes.length !== NAME_BYTES + MAC_BYTES) return null;
  const name = bytes.subarray(0, NAME_BYTES);
  if (!timingSafeEqual(bytes.subarray(NAME_BYTES), macOf(hash, name))) return null;
  return {
    sessionId: SessionId.parse(stringify(name.subarray(0, SESSION_BYTES))),
    generation: name.readUInt32BE(SESSION_BYTES),
  };
}

const macOf = (hash: KeyedHash, name: Buffer): Buffer => hash('refresh-token', name.toString('hex'));
