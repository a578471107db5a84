import { createHash, generateKeyPairSync, type KeyObject, randomBytes, sign } from 'node:crypto';
import { cose, isoCBOR } from '@simplewebauthn/server/helpers';
import type { PasskeyAssertion, PasskeyRegistration } from '../../domain/staff/webauthn.ts';

/** What a test bends of an honest answer. */
export interface Bent {
  readonly origin?: string;
  readonly rpId?: string;
  readonly challenge?: string;
  /** A key that was only touched. */
  readonly userVerified?: boolean;
  /** What a copy of the key would say; the counter itself stays. */
  readonly counter?: number;
  readonly crossOrigin?: boolean;
  /** Another key signs. */
  readonly signedBy?: KeyObject;
}

interface Asked {
  readonly challenge?: unknown;
}

/** An authenticator in software: real keys, real signatures, and a counter. */
export interface SoftwarePasskey {
  readonly id: string;
  /** COSE_Key, as a registration hands it in. */
  readonly publicKey: Uint8Array;
  register(options: Asked, bent?: Bent): PasskeyRegistration;
  assert(options: Asked, bent?: Bent): PasskeyAssertion;
}

const [USER_PRESENT, USER_VERIFIED, ATTESTED] = [0x01, 0x04, 0x40];
const AAGUID = Buffer.alloc(16);

export function softwarePasskey(
  origin: string,
  alg: 'ES256' | 'EdDSA' = 'ES256',
  { counts = true }: { readonly counts?: boolean } = {},
): SoftwarePasskey {
  const keys =
    alg === 'ES256' ? generateKeyPairSync('ec', { namedCurve: 'P-256' }) : generateKeyPairSync('ed25519');
  const credentialId = randomBytes(32);
  const id = credentialId.toString('base64url');
  let uses = 0;

  const authenticatorData = (flags: number, bent: Bent, attested = Buffer.alloc(0)): Buffer => {
    if (counts) uses += 1;
    const counter = Buffer.alloc(4);
    counter.writeUInt32BE(bent.counter ?? uses);
    const verified = bent.userVerified === false ? 0 : USER_VERIFIED;
    const rpIdHash = sha256(bent.rpId ?? new URL(origin).hostname);
    return Buffer.concat([rpIdHash, Buffer.of(flags | USER_PRESENT | verified), counter, attested]);
  };
  const clientData = (type: string, { challenge }: Asked, bent: Bent): Buffer =>
    Buffer.from(
      JSON.stringify({
        type,
        challenge: bent.challenge ?? challenge,
        origin: bent.origin ?? origin,
        crossOrigin: bent.crossOrigin ?? false,
      }),
    );

  return {
    id,
    publicKey: coseKey(keys.publicKey, alg),
    register(options, bent = {}) {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(credentialId.length);
      const attested = Buffer.concat([AAGUID, length, credentialId, coseKey(keys.publicKey, alg)]);
      const authData = new Uint8Array(authenticatorData(ATTESTED, bent, attested));
      const attestation = isoCBOR.encode(
        new Map<string, unknown>([
          ['fmt', 'none'],
          ['attStmt', new Map()],
          ['authData', authData],
        ]) as never,
      );
      return {
        id,
        rawId: id,
        type: 'public-key',
        response: {
          clientDataJSON: clientData('webauthn.create', options, bent).toString('base64url'),
          attestationObject: Buffer.from(attestation).toString('base64url'),
          transports: ['internal'],
        },
      };
    },
    assert(options, bent = {}) {
      const data = authenticatorData(0, bent);
      const client = clientData('webauthn.get', options, bent);
      const signed = Buffer.concat([data, sha256(client)]);
      const digest = alg === 'ES256' ? 'sha256' : null;
      return {
        id,
        rawId: id,
        type: 'public-key',
        response: {
          clientDataJSON: client.toString('base64url'),
          authenticatorData: data.toString('base64url'),
          signature: sign(digest, signed, bent.signedBy ?? keys.privateKey).toString('base64url'),
        },
      };
    },
  };
}

/** SHA-256 in hex of what a registration attests: what its proof binds. */
export const attestationHash = ({ response }: PasskeyRegistration): string =>
  sha256(Buffer.from(response.attestationObject, 'base64url')).toString('hex');

function coseKey(key: KeyObject, alg: 'ES256' | 'EdDSA'): Uint8Array {
  const { x, y } = key.export({ format: 'jwk' });
  const part = (text: string | undefined) => new Uint8Array(Buffer.from(text ?? '', 'base64url'));
  const { COSEKEYS, COSEKTY, COSEALG, COSECRV } = cose;
  const fields: [number, unknown][] =
    alg === 'ES256'
      ? [
          [COSEKEYS.kty, COSEKTY.EC2],
          [COSEKEYS.alg, COSEALG.ES256],
          [COSEKEYS.crv, COSECRV.P256],
          [COSEKEYS.x, part(x)],
          [COSEKEYS.y, part(y)],
        ]
      : [
          [COSEKEYS.kty, COSEKTY.OKP],
          [COSEKEYS.alg, COSEALG.EdDSA],
          [COSEKEYS.crv, COSECRV.ED25519],
          [COSEKEYS.x, part(x)],
        ];
  return isoCBOR.encode(new Map(fields) as never);
}

const sha256 = (of: string | Uint8Array): Buffer => createHash('sha256').update(of).digest();
