import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { requestExamples } from '../../../apps/http/examples.ts';
import { type Navbat, startNavbat, type TestProject } from '../../support/navbat.ts';

/** What `/docs` offers to try out is accepted. */

/** Those that need nothing but a project. The others carry what an earlier answer gave: an id, a code, a signature. */
const alone = [
  'post /otp/send',
  'post /api/send-otp/',
  'post /auth/code',
  'post /auth/approval',
  'post /telegram/send',
  'post /push/send',
  'put /recipients',
  'post /webhooks/endpoints',
  'post /webhooks/replay',
] as const;

describe('an example is accepted by the running app', () => {
  let navbat: Navbat;
  let project: TestProject;
  const send = (operation: string, values: Readonly<Record<string, string>> = {}, body?: object) => {
    const [method = '', path = ''] = operation.split(' ');
    const filled = path.replaceAll(/\{(\w+)\}/g, (_, name: string) => values[name] ?? name);
    return project.call(method.toUpperCase(), filled, body ?? requestExamples[operation]);
  };
  const accepted = async (...asked: Parameters<typeof send>) => {
    const { status, body } = await send(...asked);
    expect({ operation: asked[0], status: Math.floor(status / 100), body }).toMatchObject({ status: 2 });
    return body;
  };
  beforeAll(async () => {
    navbat = await startNavbat({ processes: ['api'] });
  });
  afterAll(() => navbat.stop());

  test.each(alone)('%s', async (operation) => {
    project = await navbat.createProject();
    await accepted(operation);
  });

  test('of a code that was sent: resent, checked, cancelled', async () => {
    project = await navbat.createProject({ mode: 'test' });
    const { id } = await accepted('post /otp/send');
    const { body } = await project.call('GET', `/otp/${id}`);
    await accepted(
      'post /otp/verify',
      {},
      { ...(requestExamples['post /otp/verify'] as object), id, code: body.code },
    );
    const { id: second } = await accepted('post /otp/send');
    await accepted('post /otp/{id}/cancel', { id: second });
  });

  test('of a broadcast: paused, resumed, cancelled', async () => {
    project = await navbat.createProject();
    const { id } = await accepted('post /telegram/send');
    for (const what of ['pause', 'resume', 'cancel']) await accepted(`post /broadcasts/{id}/${what}`, { id });
  });

  test('of an endpoint: changed and tested', async () => {
    project = await navbat.createProject();
    const { id } = await accepted('post /webhooks/endpoints');
    await accepted('patch /webhooks/endpoints/{id}', { id });
    await accepted('post /webhooks/endpoints/{id}/test', { id });
  });

  test('of a project and its keys', async () => {
    project = await navbat.createProject();
    await accepted('patch /projects/{id}', { id: project.id });
    await accepted('post /projects/{id}/templates/preview', { id: project.id });
    await accepted('post /projects/{id}/keys', { id: project.id });
  });
});
