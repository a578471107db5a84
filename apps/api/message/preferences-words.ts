import type { Locale } from '../../../domain/shared/locale.ts';

interface Words {
  readonly title: (project: string) => string;
  readonly codes: string;
  readonly categories: string;
  readonly quietTitle: string;
  readonly quiet: string;
  readonly quietHint: string;
  readonly from: string;
  readonly to: string;
  readonly zone: string;
  readonly none: string;
  readonly save: string;
  readonly saved: string;
  readonly gone: string;
  readonly wrong: string;
  readonly unread: string;
}

/** What the preferences page says. */
export const pageWords: Readonly<Record<Locale, Words>> = {
  uz: {
    title: (project) => `${project} xabarlari`,
    codes: 'Bu sozlamalar tasdiqlash kodlarini to‘xtatmaydi.',
    categories: 'Qaysi xabarlarni olmoqchisiz?',
    quietTitle: 'Tinch soatlar',
    quiet: 'Tinch soatlarda xabar yubormaslik',
    quietHint: 'Xabarlar tinch soatlar tugagach keladi.',
    from: 'Boshlanishi',
    to: 'Tugashi',
    zone: 'Vaqt mintaqasi',
    none: 'Bu loyihadan hech qanday xabar olmaslik',
    save: 'Saqlash',
    saved: 'Saqlandi.',
    gone: 'Bu havola endi ishlamaydi. Oxirgi xabardagi havolani oching.',
    wrong: 'Sokin vaqt saqlanmadi: vaqt mintaqasi Asia/Tashkent kabi yoziladi. Qolgani saqlandi.',
    unread: 'Hech narsa o‘zgarmadi. Quyidagi shakldan foydalaning.',
  },
  ru: {
    title: (project) => `Сообщения от ${project}`,
    codes: 'Эти настройки не отключают коды подтверждения.',
    categories: 'Какие сообщения вы хотите получать?',
    quietTitle: 'Тихие часы',
    quiet: 'Не присылать сообщения в тихие часы',
    quietHint: 'Сообщения придут, когда тихие часы закончатся.',
    from: 'С',
    to: 'До',
    zone: 'Часовой пояс',
    none: 'Не получать никаких сообщений этого проекта',
    save: 'Сохранить',
    saved: 'Сохранено.',
    gone: 'Эта ссылка больше не действует. Откройте ссылку из последнего сообщения.',
    wrong: 'Тихие часы не сохранены: часовой пояс пишется как Asia/Tashkent. Остальное сохранено.',
    unread: 'Ничего не изменено. Воспользуйтесь формой ниже.',
  },
  en: {
    title: (project) => `Messages of ${project}`,
    codes: 'These settings do not stop verification codes.',
    categories: 'Which messages do you want?',
    quietTitle: 'Quiet hours',
    quiet: 'Send nothing in quiet hours',
    quietHint: 'Messages arrive when the quiet hours end.',
    from: 'From',
    to: 'Until',
    zone: 'Time zone',
    none: 'No messages of this project at all',
    save: 'Save',
    saved: 'Saved.',
    gone: 'This link no longer works. Open the link in the latest message.',
    wrong: 'The quiet hours were not saved: a time zone is written like Asia/Tashkent. All else was saved.',
    unread: 'Nothing was changed. Use the form below.',
  },
  'uz-Cyrl': {
    title: (project) => `${project} хабарлари`,
    codes: 'Бу созламалар тасдиқлаш кодларини тўхтатмайди.',
    categories: 'Қайси хабарларни олмоқчисиз?',
    quietTitle: 'Тинч соатлар',
    quiet: 'Тинч соатларда хабар юбормаслик',
    quietHint: 'Хабарлар тинч соатлар тугагач келади.',
    from: 'Бошланиши',
    to: 'Тугаши',
    zone: 'Вақт минтақаси',
    none: 'Бу лойиҳадан ҳеч қандай хабар олмаслик',
    save: 'Сақлаш',
    saved: 'Сақланди.',
    gone: 'Бу ҳавола энди ишламайди. Охирги хабардаги ҳаволани очинг.',
    wrong: 'Сокин вақт сақланмади: вақт минтақаси Asia/Tashkent каби ёзилади. Қолгани сақланди.',
    unread: 'Ҳеч нарса ўзгармади. Қуйидаги шаклдан фойдаланинг.',
  },
  kk: {
    title: (project) => `${project} хабарламалары`,
    codes: 'Бұл баптаулар растау кодтарын тоқтатпайды.',
    categories: 'Қандай хабарламаларды алғыңыз келеді?',
    quietTitle: 'Тыныш сағаттар',
    quiet: 'Тыныш сағаттарда хабарлама жібермеу',
    quietHint: 'Хабарламалар тыныш сағаттар аяқталғанда келеді.',
    from: 'Басталуы',
    to: 'Аяқталуы',
    zone: 'Уақыт белдеуі',
    none: 'Бұл жобадан ешқандай хабарлама алмау',
    save: 'Сақтау',
    saved: 'Сақталды.',
    gone: 'Бұл сілтеме енді жұмыс істемейді. Соңғы хабарламадағы сілтемені ашыңыз.',
    wrong: 'Тыныш уақыт сақталмады: уақыт белдеуі Asia/Tashkent сияқты жазылады. Қалғаны сақталды.',
    unread: 'Ештеңе өзгерген жоқ. Төмендегі нысанды пайдаланыңыз.',
  },
  ky: {
    title: (project) => `${project} билдирүүлөрү`,
    codes: 'Бул жөндөөлөр тастыктоо коддорун токтотпойт.',
    categories: 'Кайсы билдирүүлөрдү алгыңыз келет?',
    quietTitle: 'Тынч сааттар',
    quiet: 'Тынч сааттарда билдирүү жибербөө',
    quietHint: 'Билдирүүлөр тынч сааттар бүткөндө келет.',
    from: 'Башталышы',
    to: 'Бүтүшү',
    zone: 'Убакыт алкагы',
    none: 'Бул долбоордон эч кандай билдирүү албоо',
    save: 'Сактоо',
    saved: 'Сакталды.',
    gone: 'Бул шилтеме мындан ары иштебейт. Акыркы билдирүүдөгү шилтемени ачыңыз.',
    wrong: 'Тынч убакыт сакталган жок: убакыт алкагы Asia/Tashkent сыяктуу жазылат. Калганы сакталды.',
    unread: 'Эч нерсе өзгөргөн жок. Төмөнкү форманы колдонуңуз.',
  },
  tg: {
    title: (project) => `Паёмҳои ${project}`,
    codes: 'Ин танзимот рамзҳои тасдиқро қатъ намекунад.',
    categories: 'Кадом паёмҳоро гирифтан мехоҳед?',
    quietTitle: 'Соатҳои ором',
    quiet: 'Дар соатҳои ором паём нафиристед',
    quietHint: 'Паёмҳо пас аз анҷоми соатҳои ором меоянд.',
    from: 'Аз',
    to: 'То',
    zone: 'Минтақаи вақт',
    none: 'Аз ин лоиҳа ягон паём нагирифтан',
    save: 'Нигоҳ доштан',
    saved: 'Нигоҳ дошта шуд.',
    gone: 'Ин пайванд дигар кор намекунад. Пайванди паёми охиринро кушоед.',
    wrong:
      'Вақти ором нигоҳ дошта нашуд: минтақаи вақт мисли Asia/Tashkent навишта мешавад. Боқимонда нигоҳ дошта шуд.',
    unread: 'Ҳеҷ чиз тағйир наёфт. Аз варақаи зерин истифода баред.',
  },
};
