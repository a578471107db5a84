import type { JobReader } from '../../domain/job/port.ts';
import type { Projects } from '../../domain/project/port.ts';
import type { UsageReader } from '../../domain/project/usage.ts';
import type { Recipients } from '../../domain/recipient/port.ts';
import type { ClosedChats } from '../../domain/telegram/chat.ts';
import type { Route } from './route.ts';
import { type AuthDeps, authRoutes } from './routes/auth.ts';
import { type DeviceRouteDeps, deviceRoutes } from './routes/devices.ts';
import { type EnrolmentRouteDeps, enrolmentRoutes } from './routes/enrolments.ts';
import { type ChallengeRouteDeps, challengeRoutes } from './routes/challenges.ts';
import { jobRoutes } from './routes/jobs.ts';
import { jwksRoutes, type PublicJwk } from './routes/jwks.ts';
import { keyRoutes } from './routes/keys.ts';
import { type MessageDeps, messageRoutes } from './routes/messages.ts';
import { type MyDeviceDeps, myDeviceRoutes } from './routes/my-devices.ts';
import { type OtpEventDeps, otpEventRoutes } from './routes/otp-events.ts';
import { otpRoutes } from './routes/otp.ts';
import { type PhoneOtpDeps, phoneOtpRoutes } from './routes/phone-otp.ts';
import { projectRoutes } from './routes/projects.ts';
import { recipientRoutes } from './routes/recipients.ts';
import { type RegistrationDeps, registrationRoutes } from './routes/registration.ts';
import { telegramChatRoutes } from './routes/telegram-chats.ts';
import { type UnlockDeps, unlockRoutes } from './routes/unlock.ts';
import { type WebhookRouteDeps, webhookRoutes } from './routes/webhooks.ts';

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
