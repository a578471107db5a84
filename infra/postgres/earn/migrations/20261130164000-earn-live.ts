import { Migration } from '@mikro-orm/migrations';

/** Whoever follows their money is shown their open sessions each second: found by person, whatever they shared before. */
export class Migration20261130164000EarnLive extends Migration {
  override up(): void {
    this.addSql(
      'create index traffic_session_open_of on traffic_session (project_id, person_id, id) where ended_at is null',
    );
  }
}
