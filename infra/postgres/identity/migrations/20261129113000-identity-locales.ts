import { Migration } from '@mikro-orm/migrations';

/** The languages of codes and notices: Uzbek in Cyrillic, Kazakh, Kyrgyz and Tajik besides. */
export class Migration20261129113000IdentityLocales extends Migration {
  override up(): void {
    this.addSql(`
alter table recipient
  drop constraint recipient_locale_check,
  add constraint recipient_locale_check check (locale in ('uz', 'uz-Cyrl', 'ru', 'en', 'kk', 'ky', 'tg'))`);
  }
}
