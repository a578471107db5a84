import { Migration } from '@mikro-orm/migrations';
import { nameSkeleton } from '../../../domain/project/display-name.ts';

/** What each project's names look like, so that no other takes one that a person would mistake for it. */
export class Migration0025ProjectNames extends Migration {
  override async up(): Promise<void> {
    const projects = (await this.execute(
      `select id, slug, settings ->> 'display_name' name from project order by created_at, id`,
    )) as { id: string; slug: string; name: string | null }[];
    this.addSql(projectNames);
    // The oldest keeps what two have.
    for (const { id, slug, name } of projects)
      for (const one of [name, slug])
        if (one !== null)
          this.addSql(
            `insert into project_name (skeleton, project_id) values ('${nameSkeleton(one).replaceAll("'", "''")}', '${id}') on conflict do nothing`,
          );
  }
}

const projectNames = `
create table project_name (
  skeleton text primary key,
  project_id uuid not null references project
);
create index project_name_project on project_name (project_id);
`;
