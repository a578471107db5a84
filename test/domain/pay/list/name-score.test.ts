import { describe, expect, test } from 'vitest';
import { NAME_SCORE_DOUBTFUL, nameScore } from '../../../../domain/pay/list/name-score.ts';

describe('one person, written in two ways, is no doubt', () => {
  test.each([
    ['Vali Aliyev', 'VALI ALIYEV'],
    ['Aliyev Vali', 'VALI ALIYEV'],
    ['Алиев Вали', 'VALI ALIYEV'],
    ['Алиев Вали', 'VALI ALIEV'],
    ['Aliyev Vali Karim oʻgʻli', 'VALI ALIYEV'],
    ['Алиев Вали Карим ўғли', 'ALIYEV VALI'],
    ["G'aniyev O'tkir", 'GANIEV UTKIR'],
    ['Gʻaniyev Oʻtkir', 'OTKIR GANIYEV'],
    ['Ғаниев Ўткир', 'UTKIR GANIEV'],
    ['Ғаниев Ўткир', "O'TKIR G'ANIYEV"],
    ['Хасанов Хусан', 'KHUSAN KHASANOV'],
    ['Hasanov Husan', 'XUSAN XASANOV'],
    ['Ҳасанов Ҳусан', 'HUSAN HASANOV'],
    ['Jamshid Qodirov', 'DJAMSHID KADIROV'],
    ['Жамшид Қодиров', 'JAMSHID QODIROV'],
    ['Жамшид Кадыров', 'ZHAMSHID KADYROV'],
    ['Yusupova Nilufar', 'NILUFAR IUSUPOVA'],
    ['Юсупова Нилуфар', 'NILUFAR YUSUPOVA'],
    ['Шоҳруҳ Раҳмонов', 'SHOKHRUKH RAKHMONOV'],
    ['Шохрух Рахманов', 'SHOXRUX RAHMONOV'],
    ['Dilfuza Toʻlqinova', 'DILFUZA TULKINOVA'],
    ['Bobur Ergashev', 'BABUR ERGASHEV'],
    ['Зуҳра Эргашева', 'ZUKHRA ERGASHEVA'],
    ['Щербаков Юрий', 'YURIY SHCHERBAKOV'],
    ['Цой Сергей', 'SERGEY TSOY'],
    ['Ким Алексей', 'ALEKSEY KIM'],
    ['Семёнова Наталья', 'NATALYA SEMENOVA'],
    ['Абдуллаев Абдулла', 'ABDULLA ABDULLAYEV'],
    ['Xoʻjayev Sheʼrzod', 'SHERZOD XUJAEV'],
    ['Mirzayeva Oygul Baxtiyor qizi', 'OYGUL MIRZAYEVA'],
    ['A. Valiyev', 'A VALIEV'],
  ])('%s, %s', (listed, onCard) => {
    expect(nameScore(listed, onCard)).toBeGreaterThanOrEqual(NAME_SCORE_DOUBTFUL);
    expect(nameScore(onCard, listed)).toBe(nameScore(listed, onCard));
  });
});

describe('two people are a doubt', () => {
  test.each([
    ['Vali Aliyev', 'OLIM KARIMOV'],
    ['Vali Aliyev', 'VALI KARIMOV'],
    ['Aliyev Vali', 'ALIYEV AZIZ'],
    ['Aliyev Vali', 'ALIYEVA NILUFAR'],
    ['Karimov Anvar', 'KARIMOV AKMAL'],
    ['Hasanov Husan', 'HUSANOV HASAN'],
    ['Hasan Valiyev', 'HUSNORA VALIYEVA'],
    ['Jamshid Qodirov', 'JASUR QODIROV'],
    ['Nodira Rahimova', 'NIGORA RAHIMOVA'],
    ['Toʻlqin Usmonov', 'TOLIB USMONOV'],
    ['Valiyev Anvar', 'A VALIEV'],
    ['Vali Aliyev', 'VALI'],
    ['Vali Aliyev', 'INSTANT CARD'],
    ['Vali Aliyev', ''],
    ['Vali Aliyev', '李小龙'],
    ['Vali Aliyev', 'A B C D E F G VALI ALIYEV'],
  ])('%s, %s', (listed, onCard) => {
    expect(nameScore(listed, onCard)).toBeLessThan(NAME_SCORE_DOUBTFUL);
  });
});

test('the same name is 100, and nothing alike is 0', () => {
  expect(nameScore('Vali Aliyev', 'ALIYEV VALI')).toBe(100);
  expect(nameScore('Vali Aliyev', 'QOʻQON')).toBe(0);
});
