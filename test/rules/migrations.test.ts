import { createHash } from 'node:crypto';
import { globSync, readFileSync } from 'node:fs';
import { basename, join, resolve } from 'node:path';
import { expect, test } from 'vitest';
import { migrations } from '../../infra/postgres/schema.ts';

/** One that ran somewhere is never edited: databases would differ under one name. A change is a new migration. */
const frozen: Readonly<Record<string, string>> = {
  '20261129100100-project-baseline.ts': 'ad93497b4d003ca246a820847efa37eddf26beb4231f9114df7c7d35cbf68396',
  '20261129100200-job-baseline.ts': '07a0341a02d6b670330d0de319f5971019e967bbf3b13677d8498c1674ae1777',
  '20261129100300-identity-baseline.ts': '00d62186b45e8224e4d24dcf4ad7daca9d5630275bfd8e2899b3d9dd2a5b4629',
  '20261129100400-webhook-baseline.ts': '9dac9e20aaeaa0d097130500e0f673e87bd36d5a78e3b3833f472554edcaaa8c',
  '20261129100500-staff-baseline.ts': '4e01ab0bbebd6b0f0cb2b0cc3a4d2a4b7ad81e22162500d25490457efb585fe8',
  '20261129100550-telegram-baseline.ts': '144fe37b7ecdf7e2b3363573948de1f08d4a22a2b93218ad09c68eb02c857152',
  '20261129100600-verify-baseline.ts': 'ef56c15295bf7f833d8575639af032c9ca8409c2c8eef13e9f39373a4463464a',
  '20261129100700-message-baseline.ts': 'df5f1ada406db8fc0c3b010eb73e22968f850d6621d5e3814534724165a50910',
  '20261129120500-job-play-mobile-reference.ts':
    '65ea5e45b6c4c1544a61353d9389823e9bda81d189bee2f4b438acc42eb33051',
  '20261129113000-identity-locales.ts': '814e65d3b75784c162965b9c2e2a764109bf07ae808d2de6292c1adbb23b3c9f',
  '20261129113000-job-attempt-price.ts': 'fc34df45dd712830f817692beb802b0188f98138fb3a74d0085ed254395c9ef6',
  '20261129113050-job-scored.ts': '9a6bc29bf86b7d747d1126efe12d0a3e40115c7ef49e08fa26413f2b9be05408',
  '20261129113100-verify-signals.ts': '37d41fcd7edb893ec4e190166ae97c1ec106e444f893df5b9fa6cf8f773b7848',
  '20261129121000-verify-provider-balance.ts':
    'b64dc07cfd93429a40dc38684520b0d4c89ac3b20ec5499f0f6bd926689b7191',
  '20261129120700-verify-moderation.ts': '7545de98482b1ea551c0292f7a114173732a20b2a8cab0007beacd33060d7c50',
  '20261129114000-message-preferences.ts': 'cbc1223dc42a188d4042117d968e76eb60f7b225717e555357561f3bab970f4d',
  '20261129123000-job-attempt-trial.ts': 'fc9811e941ad46e86404a373fa77969f2799ae73068b3272913bade681576334',
  '20261129123100-verify-sms-score.ts': '8dc47fc1a090316f0218015d6924b8e8f213369cac90c14c8823e581489c3d7e',
  '20261129130100-message-person-said.ts': '6a39d316b412c9693e1d339a40e734d40b5d2c7f86213e401e843a3503f0bce7',
  '20261129130500-job-chosen-after.ts': '3eed92ca54d9e5f606c6af5de8c821fd3719ca74866b02c2687bc1f60f6fe706',
  '20261129131000-verify-sms-score-project.ts':
    'cdb33356c0c706d951cf26c84a682465b47c75c4fab25c50176bbc474a86675a',
  '20261129131500-verify-text-answer.ts': '3a7878565eb374d6bc52ad2fdcc11990c956f8076b26a17fb7cf0046485f4db2',
  '20261129150300-pay-ledger.ts': '35b7085f51fa5be2f3a1cd2c3058e979f1e6234514e815cc558c4b59cffd3bc8',
  '20261129150310-identity-people-ceiling.ts':
    'cf171ea0ad9011aadacb8767bc828ad4f373d906b285a9428d87876b1e601b2f',
  '20261129150320-identity-approvals-kept.ts':
    '50bd99615fd386accec2851451361a3341758a9fecfd5bff2d4001759aaee674',
  '20261129150400-pay-chain.ts': '404da18eb5b9f4a5875cff690f982cc91b0cd481fefc658cc09604472ba3c2e2',
  '20261129150500-pay-people.ts': '207db1f73bfc3719bd7ec40e934335874e2bc1bd231105fc38dbf008bdcf8252',
  '20261129150600-staff-audit-time.ts': 'a39cd18dd8447983818978cb8c5dc5991e94b117d2ce5c0ac43e4b65ae038b42',
  '20261129150700-webhook-disabled-audit.ts':
    '19bcbb3224aed22694e19f1412b76ea70fd8dcb290692bd274f651bd49eed34a',
  '20261129150200-staff-proofs.ts': '37de26a1bad252845a9f3edce7b179962b3f34ea01bedda1a96162e5670da425',
  '20261129180000-pay-payouts.ts': '535ac79b5a27c956a700f0ee45842d977a57b7ed83a0e4e42e11a41752a211bd',
  '20261129180100-pay-asking.ts': '2c6ffce19f033a589349a92a43d394c5ba654cd5f48edb3c939de31edfa2b653',
  '20261129180200-pay-batches.ts': 'cdb96dd097613e59998f096993bcfd6263fbc323066246962219dcaccf4b8169',
  '20261129181000-pay-dispatch.ts': '4e389fd09eb61eff3a4ab476bc6f19cc203290eada7a229397e4843f4f3a3c6e',
  '20261129181100-pay-dispatch-moves.ts': 'e6194decada1a5cb9022e98affa3025caae5cce4704cd64ffeae5866679463a1',
  '20261129181200-pay-dispatch-people.ts': 'de37c5c771e8bb5fda696eb8cec16c8781ba344fb379cba6a406db37d8818860',
  '20261129182000-pay-lists.ts': '0eed02b67648af071f320d22a9d820343b010760b706702e90de3cd59a41abad',
  '20261129183000-pay-statements.ts': 'a9d41b22d80fb4610d7e7b9ee2e08e3f5d15617e41dbb3c3eba0330b4837f1b7',
  '20261129183100-pay-bank-files.ts': '5631e320c49745acec1c4a74af8f33a9a5cc424370e2856310058dc36cca3557',
  '20261129150000-staff-audit-kept.ts': '45149435621253d6558e63a62305716ae64fd0873993df03d42cd428fec95a4b',
  '20261129150100-staff-session-via.ts': '7b9077ffcaebc6e2e320553d3a7b440d302fa3d873623782e76d0b850560f05b',
  '20261129184000-pay-doors.ts': 'fedfd1094dcebf0c70e0ec6fbbf5209797508cdf4f01191e0a6d17eae751bc38',
  '20261129195000-pay-dispatch-work.ts': '34f1d5754540ed733ca34600141feff7a0dc60a32be68ef2adc922723339571c',
  '20261129193100-identity-phone-found.ts':
    '4651919d8db8333a352bf35b2882ec6a20414a5e003d21a717fcc74a6c5fcef4',
  '20261129193000-pay-link-jobs.ts': 'db55bc289311e8f5cb3e1785c4cd2eab6ae90acc094b3b8aa46c42d7402f3cd9',
  '20261129185000-staff-proof-factor.ts': 'eadcf5c21ffb9d1f463e5e35450c7d3f5f0b8bce9ee70875a088d6f933ea91ca',
  '20261129190000-pay-lines-of-people.ts': 'bdfab61da09e67b464aa6d82714127d5356409193ef091b453a4f954b5953074',
  '20261129190100-pay-agreed-with-proof.ts':
    'c5c839b555b0459c17b0ca6398aaa5cafa0adde9d735c1fac0752925bc44ff6c',
  '20261129190200-staff-proof-age.ts': '30992072608d4c253dd763440032de987604ce5e2dcaa204ab5f0bb7b19309b6',
  '20261129191100-pay-phone-moves.ts': '040e388fbfa357fb1bf0900827ee283a231e7360a91cccd435400c1840ba7e1a',
  '20261129194000-pay-due.ts': '1526dc99fbf27ce07d80ece112ff643b155d8f27c06b588d9f9f80f6e86d046a',
  '20261129194100-pay-settle-items.ts': 'fb0e5ff8eaed8c27a48ca30a5c704148651a23527646a82f355b37c4958d2326',
  '20261129194200-pay-rail-otp.ts': '9687227e5973d1779cca55281537c6294294fd685ea990d443942cef3cbb8166',
  '20261129194400-pay-key-makers.ts': '64e538b3293ac8e8f86c5d0da0988aa14954ad3c1a6750b5bde341c338f9f0e2',
  '20261129194300-project-key-maker.ts': 'bd6f2178485a2a68a960d5f818aa73a56b72e3776c879bb8f601a11e6dcaabd7',
  '20261129194500-pay-lines-of-payouts.ts':
    '1cf0bdbbdf9ac2ec4b8052b63420a8ffde690bf6373c522012bc906d0dfb3511',
  '20261129194600-pay-only-ours.ts': 'ea27691615c8d63baab0c172b43053c327199b5f0325b9edebc1183f212ac814',
  '20261130093000-pay-dispatch-ends.ts': '4c9d02ef06909cb16baa6eede55fc326c85c465f26a5d113e09d4db885477278',
  '20261129200000-pay-look-ups.ts': '5dded8266148791d6ff1c9381c4cf13bfdcc4c723e6dec75768eba90d142156e',
  '20261130100000-pay-people-who-count.ts':
    '2e7d3ea48b5c337ea127baa1da28f7385049b4f41d944b0a2f5391e34fb351cd',
  '20261130101000-pay-settled-as-asked.ts':
    '615b262c957e0eacbe01af96cbc64546ca35ab8173aef43b45f7296f1624f137',
  '20261130102000-pay-files-of-people.ts': 'c9fea353bdf61dc9f5c358a57ffca29430d838a00a855b57f6eef7dd8a3254e4',
  '20261130110000-pay-forms-counted.ts': 'e6665119de1d8690775eb2ceba6f1eddd3ddaa5745889f9c8e6103b08d40b542',
  '20261130110100-pay-destination-room.ts':
    '71f4d4ed854776d30a95424f60e3730ee60cfa5808193eb064d1685770d4a700',
  '20261130110200-pay-link-sms.ts': '16561aa4fdc3dc86f40ef55d9587d20978e89b7e6f96e3c4607486d42cfcda35',
  '20261130150000-earn-prices.ts': 'c414181e1254f72cddc8328882d90e9afc781fda21e7c5e7fce21ce010ccb94a',
  '20261130151000-earn-traffic.ts': 'c58521771c40108c0ad34f9470fca8efbc8e20d8799a4ee8ecdcca79368fac21',
  '20261130152000-earn-days.ts': 'caeb85881b9722c0b9b25dcc0e341b1e083956a46a4b644be21b0f13d6bca935',
  '20261130160000-earn-addresses.ts': '7a4adbfed0af2c191758d8f794d81264b4950980b84938808ce5a0f04586115b',
  '20261130160100-earn-appeals.ts': '8e5c79ba22e1f82d4fd2594f417e0cf336f00938e2b174a65c94cb942539fa8e',
  '20261130160200-earn-old-data.ts': '4705e2b808b25fbf76be97b6d4f9b2607bc35c1effbc306d4c090a42fb6d52cc',
  '20261130161000-pay-balances.ts': '273e5ac6eb0c7c16ccfc272e892a4cbe6de75cb664a078c2390e2a9d2cbb02c3',
  '20261130161100-earn-people.ts': '59af6bd1f8d083416a9bd6924823cd992070d528c7e6e5cda878f172345b6869',
  '20261130162000-earn-support.ts': '7cdaf12faa76865107a4a1030495abd713cb5ebaecd908a33e1b2b68925190be',
  '20261130162100-earn-news.ts': '58185af18933a0287380794d65c1920d8fe0bbab38a964cecd899f441f8e506f',
  '20261130162200-earn-promo.ts': 'f4d266bbc1f21f865a3df61a175475d9fd8c63f1d45415acef44d39d85afbc4b',
  '20261130164000-earn-live.ts': '3ac5788299e2326c79ba3a2fff3fd0ab22ffc474d615d023e398c889084cc3da',
  '20261130163000-earn-gather.ts': '35517782a5421dbc07886c2afd93ace939bca37cdc6da76e53b8c66dc4839c40',
  '20261130163200-earn-carry.ts': 'c3980c0a82d9643107c9a9e61876c9f3451a01348259dd05d94314211e9269e4',
  '20261130180000-earn-decided.ts': 'b582b21da7ffbd655a643746955b9adfd6a9be8ba21bc281a4c40b5a2ac49472',
  '20261130180100-earn-own-promo.ts': 'a01e294ce7aa3849f6a42a62337078f9add0389eaef113e72391da0af4d55f24',
  '20261130180200-earn-price-climb.ts': '3c3525bdc6602f59eec1c89278c607dfeddadbb6aae0befeba8b1f7184622ad6',
  '20261130180300-earn-decide-limit.ts': 'bd5c8b3e63252f49caad72c2bd50614266928f9bec0597158ae08376a2c28284',
  '20261130163100-earn-report.ts': '6a89feccbc7bfaffe30c8a2ee5658ba441b4ba95cc6a5583c59e8543d03055dc',
  '20261130171000-pay-cancel-by-staff.ts': 'd12ca7f7864dfd6706a918a7f6f20d25504633a413cd52f7e6f386e9737021d7',
  '20261130171100-pay-which-line.ts': '0686566200d5fee8307b2f5c5e8081f3217249156e39bc48882752bc03761eda',
  '20261130170000-pay-looked-for.ts': 'a3db147af28d43d790b799d7b31738678e3323391ae23db1db4bed35067004f3',
  '20261130170100-pay-rail-closed.ts': 'ccbc2281e7666abf7b620d69369589c66c936bb442d95d5b84101c64c874b2e9',
  '20261130165000-earn-debt-keys.ts': '09668d17dfb7b4d48cba502a2cbc124d769fc18e2b02a6f4de7613743f0828d2',
  '20261130170200-pay-stopped-again.ts': '23b56b8fcc5d17066f7cedcdab671cf778d4241adcb4684956b61d72c2882746',
  '20261130171200-pay-plans-end.ts': '078e2d9bc6f49fa3b73ec992d0bc30e6043427d5e2a08d4ff709d0af4ad2b585',
  '20261130170300-pay-own-money.ts': '37fd4f4d4fea907eaeaf4e22dbdbe5cf0f2aee7da4ae68193b748de2e9a39150',
  '20261130172000-pay-statement-uploader.ts':
    '603e6ab024d41546b066b955786281b3afe7d8e9b1fc2e4e654d196c6d7b1050',
  '20261130172100-pay-statement-locks.ts': '78861f4792c215db2e883737acf5a5639ce53e5699494a4f2fc36acf0529ded0',
  '20261130170400-earn-own-card.ts': '27fe4e03727715d0ddbc87ae6b564ee91e62d5e124ab0bf1a993c8d4799198f2',
  '20261130181000-earn-unmeterable.ts': '6293cf0bf81dade2a87f617ec3136d6e06dcfac998e2fdbddbe77683077aa35a',
  '20261130181100-earn-limits.ts': '23212c083d04e83cea0fe51551f3f0b697eabeae1bdbf370f77826f6af08393d',
};

const root = resolve(import.meta.dirname, '../../infra/postgres');
const files = globSync('*/migrations/*.ts', { cwd: root }).toSorted((a, b) =>
  basename(a) < basename(b) ? -1 : 1,
);
const hashOf = (path: string): string =>
  createHash('sha256')
    .update(readFileSync(join(root, path)))
    .digest('hex');

test('each is as it was when it was first applied', () => {
  expect(Object.fromEntries(files.map((path) => [basename(path), hashOf(path)]))).toEqual(frozen);
});

test('each is in the folder of the context that its name says, and in the list in the order of their times', () => {
  const classOf = (path: string): string =>
    `Migration${basename(path, '.ts')
      .split('-')
      .map((part) => part.charAt(0).toUpperCase() + part.slice(1))
      .join('')}`;
  expect(files.map((path) => path.split('/')[0])).toEqual(files.map((path) => basename(path).split('-')[1]));
  expect(migrations.map(({ name }) => name)).toEqual(files.map(classOf));
});
