import { binder } from '../../../domain/identity/device/binding.ts';
import type { Devices } from '../../../domain/identity/device/port.ts';
import type { Persons } from '../../../domain/identity/person/persons.ts';
import type { Recipients } from '../../../domain/identity/recipient/port.ts';
import { registrar } from '../../../domain/identity/registration/registrar.ts';
import type { SignInDeps } from '../../../domain/identity/session/sign-in.ts';
import type { Sessions } from '../../../domain/identity/session/sessions.ts';
import { PLATFORM_PROJECT_ID } from '../../../domain/project/platform.ts';
import { sessionTokens } from '../../../infra/identity/access-tokens.ts';
import { isDeviceProof } from '../../../infra/identity/device/proof.ts';
import { qrPng, qrSvg } from '../../../infra/identity/device/qr.ts';
import { publicKeyFault } from '../../../infra/identity/device/signature.ts';
import { publicKeys } from '../../../infra/identity/person-tokens.ts';
import { telegramLogin } from '../../../infra/identity/telegram-login.ts';
import { devices } from '../../../infra/postgres/identity/device/devices.ts';
import { enrolments } from '../../../infra/postgres/identity/device/enrolments.ts';
import { persons } from '../../../infra/postgres/identity/person/persons.ts';
import { recipientLanguages } from '../../../infra/postgres/identity/recipient/languages.ts';
import { recipientStore } from '../../../infra/postgres/identity/recipient/recipients.ts';
import { registrations } from '../../../infra/postgres/identity/registration/registrations.ts';
import { usedLogins } from '../../../infra/postgres/identity/registration/used-logins.ts';
import { sessions } from '../../../infra/postgres/identity/session/sessions.ts';
import { deviceProofs } from '../../../infra/postgres/identity/session/device-proofs.ts';
import { projectCache } from '../../../infra/postgres/project/cache.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import { sameText } from '../../../infra/process/crypto.ts';
import type { Route } from '../../http/route.ts';
import type { IdentityCodes, Offers, Wired } from '../wire.ts';
import { authRoutes } from './auth.routes.ts';
import { type ChallengeRouteDeps, challengeRoutes } from './challenges.routes.ts';
import { type DeviceRouteDeps, deviceRoutes } from './devices.routes.ts';
import { type EnrolmentRouteDeps, enrolmentRoutes } from './enrolments.routes.ts';
import { jwksRoutes, type PublicJwk } from './jwks.routes.ts';
import { type MyDeviceDeps, myDeviceRoutes } from './my-devices.routes.ts';
import { recipientRoutes } from './recipients.routes.ts';
import { type RegistrationDeps, registrationRoutes } from './registration.routes.ts';
import { type UnlockDeps, unlockRoutes } from './unlock.routes.ts';

export interface IdentityDeps {
  readonly auth: SignInDeps;
  /** Those that check access tokens. */
  readonly tokenKeys: readonly PublicJwk[];
  readonly myDevices: MyDeviceDeps;
  readonly recipients: Recipients;
  /** What asks for a code or a push; null where nothing sends them. */
  readonly proven: ProvenDeps | null;
}

interface ProvenDeps {
  readonly registration: RegistrationDeps;
  readonly devices: EnrolmentRouteDeps & DeviceRouteDeps & UnlockDeps;
  readonly approvals: ChallengeRouteDeps;
}

export const identityRoutes = ({ auth, tokenKeys, myDevices, recipients, proven }: IdentityDeps): Route[] => [
  ...(proven ? registrationRoutes(proven.registration) : []),
  ...authRoutes(auth),
  ...jwksRoutes(tokenKeys),
  ...(proven ? [...enrolmentRoutes(proven.devices), ...deviceRoutes(proven.devices)] : []),
  ...myDeviceRoutes(myDevices),
  ...(proven ? [...unlockRoutes(proven.devices), ...challengeRoutes(proven.approvals)] : []),
  ...recipientRoutes(recipients),
];

/** People over all projects, their devices and sessions, and each project's own handles to them. */
export async function wireIdentity(platform: ApiPlatform, { codes }: Offers): Promise<Wired> {
  const { config, orm, pools, clock, hash, encryption } = platform;
  const stores = {
    ...(await signInStores(platform)),
    devices: devices({ pool: pools.read, hash, encryption }),
    recipients: recipientStore(orm.em, { keyedHash: hash, encryption }),
  };
  const auth = {
    persons: stores.persons,
    sessions: stores.sessions,
    proofs: deviceProofs(pools.read),
    ...telegramLogins(platform),
    now: clock,
  };
  return {
    offers: { languages: recipientLanguages(pools.read) },
    routes: identityRoutes({
      auth,
      tokenKeys: publicKeys(config),
      myDevices: { devices: stores.devices, sameText },
      recipients: stores.recipients,
      proven: codes ? wireProven(platform, codes, stores) : null,
    }),
  };
}

/** Who signs in, by whatever proves who they are. */
export async function signInStores({ config, pools, hash }: ApiPlatform) {
  return {
    persons: persons(pools.read, hash),
    sessions: sessions({
      pool: pools.read,
      hash,
      tokens: await sessionTokens(config.JWT_PRIVATE_JWK),
    }),
  };
}

interface Stores {
  readonly persons: Persons;
  readonly sessions: Sessions;
  readonly devices: Devices;
  readonly recipients: Recipients;
}

function wireProven(platform: ApiPlatform, codes: IdentityCodes, stores: Stores): ProvenDeps {
  const { pools, clock: now, hash } = platform;
  const people = registrations(pools.read, hash);
  return {
    registration: {
      registrar: registrar({ codes: codes.phone, registrations: people, now }),
      checkTokens: codes.checkTokens,
      problems: codes.problems,
      ...telegramLogins(platform),
      now,
    },
    devices: wireDevices(platform, codes, stores),
    approvals: { challenges: codes.challenges, now },
  };
}

/** Devices, whose codes are sent in the name of Navbat's own project. */
function wireDevices(
  { pools, clock: now }: ApiPlatform,
  { phone, destinations, payers, problems }: IdentityCodes,
  stores: Stores,
): ProvenDeps['devices'] {
  const project = projectCache(pools.read);
  return {
    devices: stores.devices,
    problems,
    binder: binder({
      ...stores,
      codes: phone,
      payers,
      platform: async () => ({ projectId: PLATFORM_PROJECT_ID, ...(await project(PLATFORM_PROJECT_ID)) }),
      isSigned: isDeviceProof,
      sameText,
      now,
    }),
    enrolments: enrolments(pools.read),
    destinations,
    now,
    recipients: stores.recipients,
    publicKeyFault,
    qr: { svg: qrSvg, png: qrPng },
  };
}

/** What Telegram signed: checked with the token of this installation's bot, and good once. */
function telegramLogins({ config, pools }: ApiPlatform): Pick<RegistrationDeps, 'login' | 'usedLogins'> {
  const token = config.TELEGRAM_BOT_TOKEN;
  return {
    login: token === undefined ? null : telegramLogin(token),
    usedLogins: usedLogins(pools.read),
  };
}
