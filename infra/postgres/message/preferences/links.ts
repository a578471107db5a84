import { timingSafeEqual } from 'node:crypto';
import type { PreferencesLinks, RecipientPreferences } from '../../../../domain/message/preferences/port.ts';
import type { KeyedHash } from '../../../process/crypto.ts';

type Linked = Pick<RecipientPreferences, 'projectId' | 'recipientId' | 'linkVersion'>;

/** 128 bits: nobody meets one by trying. */
const MAC_BYTES = 16;
const UUID_BYTES = 16;
const VERSION_BYTES = 4;
const TOKEN = /^[A-Za-z0-9_-]{48}$/;

/** What a link claims to be, before its MAC is looked at. */
interface Claim {
  readonly recipientId: string;
  readonly linkVersion: number;
  /** In constant time, for the project that the recipient is of. */
  readonly isOf: (linked: Linked) => boolean;
}

interface Links extends PreferencesLinks {
  /** Null for a text that is no token. */
  read(token: string): Claim | null;
}

/** Links to the page of one recipient of one project: the ids and a MAC over them under PEPPER, so that none is stored anywhere. */
export function preferencesLinks(hash: KeyedHash, publicUrl: string): Links {
  const macOf = ({ projectId, recipientId, linkVersion }: Linked) =>
    // Ids are of fixed length: no field can move into the next.
    hash('preferences', `${projectId}${recipientId}${linkVersion}`).subarray(0, MAC_BYTES);
  return {
    urlOf: (linked) => {
      const version = Buffer.alloc(VERSION_BYTES);
      version.writeUInt32BE(linked.linkVersion);
      const id = Buffer.from(linked.recipientId.replaceAll('-', ''), 'hex');
      return `${publicUrl}/preferences/${Buffer.concat([id, version, macOf(linked)]).toString('base64url')}`;
    },
    read: (token) => {
      if (!TOKEN.test(token)) return null;
      const bytes = Buffer.from(token, 'base64url');
      const hex = bytes.subarray(0, UUID_BYTES).toString('hex');
      return {
        recipientId: hex.replace(/^(.{8})(.{4})(.{4})(.{4})(.{12})$/, '$1-$2-$3-$4-$5'),
        linkVersion: bytes.readUInt32BE(UUID_BYTES),
        isOf: (linked) => timingSafeEqual(bytes.subarray(UUID_BYTES + VERSION_BYTES), macOf(linked)),
      };
    },
  };
}
