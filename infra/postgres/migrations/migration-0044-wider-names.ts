import { Migration } from '@mikro-orm/migrations';
import { nameSkeleton } from '../../../domain/project/display-name.ts';

/**
 * Names with a letter that counts as a Latin one since then (б, и). Their old skeletons stay: no name is read so any more, and
 * they go with the project's next name.
 */
export class Migration0044WiderNames extends Migration {
  override async up(): Promise<void> {
    const projects = (await this.execute(
      `select id, slug, settings ->> 'display_name' name from project order by created_at, id`,
    )) as { id: string; slug: string; name: string | null }[];
    for (const { id, slug, name } of projects)
      for (const one of [name, slug])
        if (one !== null)
          this.addSql(
            `insert into project_name (skeleton, project_id) values ('${nameSkeleton(one).replaceAll("'", "''")}', '${id}') on conflict do nothing`,
          );
  }
}
