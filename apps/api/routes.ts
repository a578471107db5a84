import type { JobReader } from '../../domain/job/port.ts';
import type { Projects } from '../../domain/project/port.ts';
import type { UsageReader } from '../../domain/project/usage.ts';
import type { Recipients } from '../../domain/recipient/port.ts';
import type { Route } from './route.ts';
import { jobRoutes } from './routes/jobs.ts';
import { keyRoutes } from './routes/keys.ts';
import { type MessageDeps, messageRoutes } from './routes/messages.ts';
import { otpRoutes } from './routes/otp.ts';
import { type PhoneOtpDeps, phoneOtpRoutes } from './routes/phone-otp.ts';
import { projectRoutes } from './routes/projects.ts';
import { recipientRoutes } from './routes/recipients.ts';
import { type RegistrationDeps, registrationRoutes } from './routes/registration.ts';
import { type WebhookRouteDeps, webhookRoutes } from './routes/webhooks.ts';

/** What the routes ask of the world. */
export interface ApiPorts {
  readonly projects: Projects;
  readonly usage: UsageReader;
  readonly recipients: Recipients;
  readonly jobs: JobReader;
  readonly otp: PhoneOtpDeps;
  readonly messages: MessageDeps;
  readonly registration: RegistrationDeps;
  readonly webhooks: WebhookRouteDeps;
}

/** The one list of routes that ask for a key: the app, `/openapi.json` and their tests derive from it. */
export function apiRoutes(ports: ApiPorts): Route[] {
  const { projects, usage, recipients, jobs, otp, messages, registration, webhooks } = ports;
  return [
    ...otpRoutes(otp),
    ...phoneOtpRoutes(otp),
    ...registrationRoutes(registration),
    ...messageRoutes(messages),
    ...webhookRoutes(webhooks),
    ...jobRoutes(jobs),
    ...recipientRoutes(recipients),
    ...projectRoutes(projects, usage),
    ...keyRoutes(projects),
  ];
}
