import type { JobReader } from '../../domain/job/port.ts';
import type { Projects } from '../../domain/project/port.ts';
import type { UsageReader } from '../../domain/project/usage.ts';
import type { Recipients } from '../../domain/identity/recipient/port.ts';
import type { ClosedChats } from '../../domain/message/telegram/chat.ts';
import type { Route } from '../http/route.ts';
import { type AuthDeps, authRoutes } from './identity/auth.routes.ts';
import { type DeviceRouteDeps, deviceRoutes } from './identity/devices.routes.ts';
import { type EnrolmentRouteDeps, enrolmentRoutes } from './identity/enrolments.routes.ts';
import { type ChallengeRouteDeps, challengeRoutes } from './identity/challenges.routes.ts';
import { jobRoutes } from './project/jobs.routes.ts';
import { jwksRoutes, type PublicJwk } from './identity/jwks.routes.ts';
import { keyRoutes } from './project/keys.routes.ts';
import { type MessageDeps, messageRoutes } from './message/messages.routes.ts';
import { type MyDeviceDeps, myDeviceRoutes } from './identity/my-devices.routes.ts';
import { type OtpEventDeps, otpEventRoutes } from './verify/otp-events.routes.ts';
import { otpRoutes } from './verify/otp.routes.ts';
import { type PhoneOtpDeps, phoneOtpRoutes } from './verify/phone-otp.routes.ts';
import { projectRoutes } from './project/projects.routes.ts';
import { recipientRoutes } from './identity/recipients.routes.ts';
import { type RegistrationDeps, registrationRoutes } from './identity/registration.routes.ts';
import { telegramChatRoutes } from './message/telegram-chats.routes.ts';
import { type UnlockDeps, unlockRoutes } from './identity/unlock.routes.ts';
import { type WebhookRouteDeps, webhookRoutes } from './webhook/webhooks.routes.ts';

/** What the routes ask of the world. */
export interface ApiPorts {
  readonly projects: Projects;
  readonly usage: UsageReader;
  readonly recipients: Recipients;
  readonly jobs: JobReader;
  readonly otp: PhoneOtpDeps;
  readonly otpEvents: OtpEventDeps;
  readonly messages: MessageDeps;
  readonly chats: ClosedChats;
  readonly registration: RegistrationDeps;
  readonly webhooks: WebhookRouteDeps;
  readonly auth: AuthDeps;
  /** Those that check access tokens. */
  readonly tokenKeys: readonly PublicJwk[];
  readonly devices: DeviceDeps;
  readonly approvals: ChallengeRouteDeps;
}

/** Devices: how one becomes somebody's, and what its person does with it. */
export interface DeviceDeps extends EnrolmentRouteDeps, DeviceRouteDeps, MyDeviceDeps, UnlockDeps {}

/** The one list of routes: the app, `/openapi.json` and their tests derive from it. */
export function apiRoutes(ports: ApiPorts): Route[] {
  const {
    projects,
    usage,
    recipients,
    jobs,
    otp,
    otpEvents,
    messages,
    chats,
    registration,
    webhooks,
    auth,
    tokenKeys,
    devices,
    approvals,
  } = ports;
  return [
    ...otpRoutes(otp),
    ...otpEventRoutes(otpEvents),
    ...phoneOtpRoutes(otp),
    ...registrationRoutes(registration),
    ...authRoutes(auth),
    ...jwksRoutes(tokenKeys),
    ...messageRoutes(messages),
    ...telegramChatRoutes(chats),
    ...webhookRoutes(webhooks),
    ...enrolmentRoutes(devices),
    ...deviceRoutes(devices),
    ...myDeviceRoutes(devices),
    ...unlockRoutes(devices),
    ...challengeRoutes(approvals),
    ...jobRoutes(jobs),
    ...recipientRoutes(recipients),
    ...projectRoutes(projects, usage),
    ...keyRoutes(projects),
  ];
}
