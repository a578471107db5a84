import { z } from 'zod';
import type { ProjectId } from '../../../domain/shared/ids.ts';
import { attemptOutcomes } from '../../../domain/job/job.ts';
import type { Caller } from '../../../domain/project/caller.ts';
import { ProjectSettings, settingWarnings } from '../../../domain/settings.ts';
import {
  type AboveCeiling,
  ProjectCeilings,
  WHO_NAMES,
  WHO_RAISES,
} from '../../../domain/project/ceilings.ts';
import type { Projects } from '../../../domain/project/port.ts';
import type { ProjectView } from '../../../domain/project/project.ts';
import { SettingsChange } from '../../../domain/settings.ts';
import {
  USAGE_DAYS_DEFAULT,
  USAGE_DAYS_MAX,
  type UsageReader,
  usageSpan,
} from '../../../domain/project/usage.ts';
import { Time } from '../../../domain/shared/time.ts';
import { Problem } from '../../http/problem.ts';
import { Day } from '../../http/fields.ts';
import { defineRoute, type Route } from '../../http/route.ts';

const ProjectBody = z
  .object({
    id: z.uuid(),
    slug: z.string().meta({ example: 'demo' }),
    settings: ProjectSettings.meta({ id: 'ProjectSettings' }),
    ceilings: ProjectCeilings.meta({
      id: 'ProjectCeilings',
      description: `What the settings and the rows of the project stay within. No key changes them. ${WHO_RAISES}`,
    }),
    created_at: Time,
    archived_at: Time.nullable(),
  })
  .meta({ id: 'Project' });

const ProjectWithRows = ProjectBody.extend({
  rows: z.object({ queued: z.int(), kept: z.int(), test: z.int(), people: z.int() }).meta({
    description: 'What is used now of the ceilings `rows_queued`, `rows_kept`, `test_rows`, `people`.',
  }),
});

const UsageBody = z.object({
  data: z.array(
    z
      .object({
        day: Day.meta({ example: '2026-01-15' }),
        channel: z.string().meta({ example: 'sms' }),
        outcome: z.enum(attemptOutcomes),
        attempts: z.int(),
        cost_micros: z.string().meta({ description: 'In millionths of a US dollar.', example: '90000' }),
      })
      .meta({ id: 'UsageLine' }),
  ),
  next_cursor: z.null(),
});

export const ProjectParams = z.object({ id: z.uuid() });

export function projectRoutes(projects: Projects, usage: UsageReader): Route[] {
  return [listProjects(projects), getProject(projects), changeProject(projects), getUsage(usage)];
}

const listProjects = (projects: Projects) =>
  defineRoute({
    method: 'get',
    path: '/projects',
    tag: 'Projects',
    summary: "The key's own project",
    scope: 'projects',
    testKeys: 'apart',
    answers: {
      200: {
        description: 'A list of one.',
        schema: z.object({ data: z.array(ProjectBody), next_cursor: z.null() }),
      },
    },
    async handle({ caller }) {
      const own = await projects.find(caller.projectId);
      return { status: 200, body: { data: own ? [projectBody(own)] : [], next_cursor: null } };
    },
  });

const getProject = (projects: Projects) =>
  defineRoute({
    method: 'get',
    path: '/projects/{id}',
    tag: 'Projects',
    summary: 'A project with its settings, its ceilings and what it uses of them',
    scope: 'projects',
    testKeys: 'apart',
    params: ProjectParams,
    answers: { 200: { description: 'The project.', schema: ProjectWithRows } },
    problems: [404],
    async handle({ params, caller }) {
      const id = ownProject(params.id, caller);
      const [project, rows] = await Promise.all([projects.find(id), projects.rows(id)]);
      if (!project) throw noProject();
      return { status: 200, body: { ...projectBody(project), rows } };
    },
  });

export const SettingWarnings = z
  .array(
    z.object({
      pointer: z.string().meta({ description: 'The setting.', example: '/settings/templates/ru' }),
      segments: z.int().meta({ description: 'As how many SMS the text is billed.', example: 2 }),
      detail: z.string(),
    }),
  )
  .meta({
    description:
      'Texts that are longer than one SMS, or than what the SMS Retriever reads; nothing was refused.',
  });

const ChangedBody = ProjectBody.extend({ warnings: SettingWarnings });

const changeProject = (projects: Projects) =>
  defineRoute({
    method: 'patch',
    path: '/projects/{id}',
    tag: 'Projects',
    summary: 'Changes settings',
    description:
      "Sets what is named; null gives a setting its default back. It holds everywhere within five seconds. A setting that has a ceiling (`GET /projects/{id}`) is set up to it: above it the answer is 422 `above-ceiling`, and nothing changes. So it is with a `display_name` that reads as Navbat's own or as another project's, in whatever letters, or that mixes alphabets within a word: 422 `name-reserved`. `warnings` names the texts that are billed as more than one SMS, with their count; `POST /projects/{id}/templates/preview` tells them before anything is saved.",
    scope: 'projects',
    testKeys: 'refused',
    params: ProjectParams,
    body: z.strictObject({ settings: SettingsChange }),
    answers: { 200: { description: 'The project as it is now.', schema: ChangedBody } },
    problems: [404, 422],
    async handle({ params, body, caller }) {
      const changed = await projects.changeSettings(ownProject(params.id, caller), body.settings);
      if (changed.changed) return { status: 200, body: changedBody(changed.project) };
      throw changed.reason === 'above-ceiling' ? aboveCeiling(changed.above) : notChanged[changed.reason]();
    },
  });

const getUsage = (usage: UsageReader) =>
  defineRoute({
    method: 'get',
    path: '/projects/{id}/usage',
    tag: 'Projects',
    summary: 'Attempts and their cost by day, channel and outcome',
    description: `Days are UTC. The last ${USAGE_DAYS_DEFAULT} days where no span is asked for, ${USAGE_DAYS_MAX} at most.`,
    scope: 'projects',
    testKeys: 'refused',
    params: ProjectParams,
    query: z.object({
      from: Day.optional().meta({ description: 'First day.' }),
      to: Day.optional().meta({ description: 'Last day, included.' }),
    }),
    answers: { 200: { description: 'All lines of the span, oldest first.', schema: UsageBody } },
    problems: [404],
    async handle({ params, query, caller, now }) {
      const span = usageSpan(query, now);
      if (!span) throw badSpan();
      const lines = await usage.usage(ownProject(params.id, caller), span);
      const data = lines.map(({ costMicros, ...line }) => ({ ...line, cost_micros: String(costMicros) }));
      return { status: 200, body: { data, next_cursor: null } };
    },
  });

function changedBody(project: ProjectView) {
  const { display_name: name = project.slug } = project.settings;
  return { ...projectBody(project), warnings: settingWarnings(name, project.settings) };
}

/** @throws Problem 404 for another's project: whether it exists is nobody else's business. */
export function ownProject(id: string, caller: Caller): ProjectId {
  if (id !== caller.projectId) throw noProject();
  return caller.projectId;
}

export const noProject = () => new Problem(404, 'not-found', 'This key has no such project.');

const notChanged = {
  'no-project': () => noProject(),
  'name-reserved': () =>
    new Problem(
      422,
      'name-reserved',
      `People would take this name for another's: it reads as Navbat's or as another project's, or mixes alphabets within a word. ${WHO_NAMES}`,
      {
        errors: [
          {
            pointer: '/settings/display_name',
            detail:
              "expected a name that reads neither as Navbat's own nor as another project's, each word in one alphabet (Latin, Cyrillic or Greek)",
          },
        ],
      },
    ),
};

const aboveCeiling = (above: readonly AboveCeiling[]) =>
  new Problem(422, 'above-ceiling', `The project's ceiling is below what was asked for. ${WHO_RAISES}`, {
    errors: above.map(({ setting, ceiling }) => ({
      pointer: `/settings/${setting}`,
      detail:
        typeof ceiling === 'number'
          ? `expected at most ${ceiling}, the project's ceiling`
          : `expected some of the project's ceiling: ${ceiling.join(', ') || 'none'}`,
    })),
  });

const badSpan = () =>
  new Problem(400, 'invalid-request', 'The request does not fit the schema.', {
    errors: [
      {
        pointer: 'from',
        detail: `expected a day before \`to\`, ${USAGE_DAYS_MAX} days at most between them`,
      },
    ],
  });

function projectBody(project: ProjectView) {
  return {
    id: project.id,
    slug: project.slug,
    settings: project.settings,
    ceilings: project.ceilings,
    created_at: project.createdAt,
    archived_at: project.archivedAt,
  };
}
