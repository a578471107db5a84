import type { JobReader } from '../../../domain/job/port.ts';
import type { Projects } from '../../../domain/project/port.ts';
import type { UsageReader } from '../../../domain/project/usage.ts';
import { jobs } from '../../../domain/jobs.ts';
import { jobReader } from '../../../infra/postgres/job/queries.ts';
import { projectStore } from '../../../infra/postgres/project/projects.ts';
import { usageReader } from '../../../infra/postgres/project/usage.ts';
import type { ApiPlatform } from '../../../infra/process/api-platform.ts';
import type { Route } from '../../http/route.ts';
import type { Wired } from '../wire.ts';
import { jobRoutes } from './jobs.routes.ts';
import { keyRoutes } from './keys.routes.ts';
import { projectRoutes } from './projects.routes.ts';

export interface ProjectDeps {
  readonly projects: Projects;
  readonly usage: UsageReader;
  readonly jobs: JobReader;
}

export const projectContextRoutes = ({ projects, usage, jobs }: ProjectDeps): Route[] => [
  ...jobRoutes(jobs),
  ...projectRoutes(projects, usage),
  ...keyRoutes(projects),
];

/** A customer's account: its settings, keys and usage, and the record of its jobs. */
export function wireProject({ orm, pools, hash }: ApiPlatform): Wired {
  return {
    routes: projectContextRoutes({
      projects: projectStore(orm.em, hash),
      usage: usageReader(pools.read),
      jobs: jobReader(orm.em, hash, jobs),
    }),
  };
}
