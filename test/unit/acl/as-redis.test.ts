/** Users made by random modifiers, here and in a real redis-server: the same errors, the same user, the same permissions. */
import { expect } from 'chai';
import { check, denialTextDryRun } from '../../../shared/acl/check.js';
import { acceptsArity, commandOf } from '../../../shared/commands/command-line.js';
import { hashPassword, User } from '../../../shared/acl/user.js';
import { aclCategories } from '../../../shared/acl/categories.js';
import type { ClientError } from '../../../shared/errors.js';
import { generator } from '../rows/random-numbers.js';
import { redisBeside } from '../rows/redis-beside.js';

const lines = `
get a1 | get b1 | get b2 | get c1 | set a1 x | set b1 x get | mget a1 b1 | copy a1 b1 | copy b1 c1 | del a1 | exists c1 | exists b1
lmove a1 b1 left left | zunionstore c1 2 a1 b1 | sort a1 store b1 | sort b1 | georadius a1 1 1 1 m store c1 | object encoding b1
memory usage c1 | memory stats | xread streams a1 b1 0 0 | xreadgroup group g c streams a1 > | client id | client kill 1:1 | config get x
config set a b | select 0 | select 1 | debug object a1 | debug foo | bitfield b1 get u8 0 | bitfield b1 get u8 0 set u8 0 1
bitfield_ro b1 get u8 0 | smove a1 b1 x | rename a1 b1 | getdel b1 | expire c1 1 | ping | info | acl whoami | acl setuser x | multi
hset a1 f v | bitop and c1 a1 b1 | pfcount a1 b1 | keys * | flushall | xinfo stream b1 | xgroup create c1 g 0 | lmpop 2 a1 c1 left
slowlog get | latency latest | auth x | hello | append b1 x | strlen c1 | setrange c1 0 x | touch a1 z1 | unlink a1 z1
publish foo x | publish bar x | spublish bar x | subscribe foo baz | psubscribe bar* | psubscribe baz* | ssubscribe foo
eval x 1 a1 | eval_ro x 1 b1 | evalsha x 2 a1 c1 | fcall f 1 a1 | script load x | function list | migrate h 1 a1 0 1 | monitor
`
  .trim()
  .split(/ \| |\n/)
  .map((line) => line.split(' '))
  .filter((words) => commandOf(words.map((word) => Buffer.from(word))) !== null);

const hash = hashPassword('secret');
const plain = `
on off nopass resetpass >secret >other <secret <other #${hash} !${hash} allkeys resetkeys ~* ~a* ~b1 %R~b* %W~c* %RW~d* %rw~c1 %r~*
allchannels resetchannels &* &foo &ba* allcommands nocommands +@all -@all reset clearselectors sanitize-payload skip-sanitize-payload
+get -get +set -set +config -config +config|get -config|get +client|id -client|kill +select|0 +select|1 +debug|object -debug +memory
+nosuch -nosuch +@nosuch -@ + - foo ~a\tb &a\tb %X~a %RR~a !abc #abc +config|get|x +config|foo -config|foo +debug| -select|0 +get|a|b ALLKEYS On
(+get\t~a*) (+@read\t%R~b*\t&foo) (+set\t+get\t%W~c*) (~a1\t+@all) (+@all\tallkeys\tallchannels) (foo) () (+get ~b1) +GET -CONFIG|GET +@READ
`
  .trim()
  .split(/[ \n]+/)
  .map((word) => (word.startsWith('(') ? word.replaceAll('\t', ' ') : word));

const modifiersOf = (random: () => number): string[] =>
  Array.from({ length: 1 + Math.floor(random() * 4) }, () => {
    const chance = random();
    if (chance < 0.3) {
      const category = aclCategories[Math.floor(random() * aclCategories.length)] ?? '';
      return `${chance < 0.18 ? '+' : '-'}@${category}`;
    }
    if (chance < 0.5) {
      const [name = ''] = lines[Math.floor(random() * lines.length)] ?? [];
      return `${chance < 0.42 ? '+' : '-'}${name}`;
    }
    return plain[Math.floor(random() * plain.length)] ?? '';
  });

/** What ACL DRYRUN says. */
function dryRun(user: User, words: readonly string[]): string {
  const argv = words.map((word) => Buffer.from(word));
  const command = commandOf(argv);
  if (command === null || !acceptsArity(command, argv.length)) return 'error';
  const denial = check(user, argv);
  return denial === null ? '+OK\r\n' : bulk(denialTextDryRun(denial));
}

const bulk = (text: string): string => `$${Buffer.byteLength(text)}\r\n${text}\r\n`;
const array = (items: readonly string[]): string => `*${items.length}\r\n${items.join('')}`;

/** ACL GETUSER in RESP2, but for the commands, of which there are more here than in Redis 7.0. */
function describeUser(user: User): string {
  const [root, ...others] = user.selectors;
  const field = (name: string, value: string): string => bulk(name) + value;
  const patterns = (keys = '', channels = ''): string =>
    field('commands', bulk('')) + field('keys', bulk(keys)) + field('channels', bulk(channels));
  const rest = field('flags', array(user.flags.map(bulk))) + field('passwords', array(user.passwords.map(bulk)));
  const selectors = others.map((selector) => `*6\r\n${patterns(selector.describeKeys(), selector.describeChannels())}`);
  return `*12\r\n${rest}${patterns(root?.describeKeys(), root?.describeChannels())}${field('selectors', array(selectors))}`;
}

const withoutCommands = (reply: string): string =>
  reply.replace(/\$8\r\ncommands\r\n\$\d+\r\n[^\r]*\r\n/g, bulk('commands') + bulk(''));

describe('ACL as Redis', function () {
  this.timeout(60_000);
  const redis = redisBeside();

  for (const seed of [1, 2, 3, 4]) {
    it(`users made by random modifiers, seed ${seed}`, async () => {
      const random = generator(seed);
      const options = { allChannels: seed % 2 === 0 };
      await redis.send(['config', 'set', 'acl-pubsub-default', options.allChannels ? 'allchannels' : 'resetchannels']);
      let user = new User('someone', options);
      await redis.send(['acl', 'deluser', 'someone', 'copy']);
      await redis.send(['acl', 'setuser', 'someone']);
      for (let round = 0; round < 150; round++) {
        const modifiers = modifiersOf(random);
        let expected = '+OK\r\n';
        try {
          user = user.changed(modifiers, options);
        } catch (error) {
          expected = `-${(error as ClientError).message}\r\n`;
        }
        const what = `round ${round}: ${modifiers.join(' ')} made ${user.describe()}`;
        expect(expected, what).to.equal(await redis.send(['acl', 'setuser', 'someone', ...modifiers]));
        expect(describeUser(user), what).to.equal(withoutCommands(await redis.send(['acl', 'getuser', 'someone'])));
        const [words = []] = lines.slice(round % lines.length);
        const again = User.fromRules('copy', user.rules());
        expect(again.rules(), what).to.deep.equal(user.rules());
        for (const line of round % 10 === 0 ? lines : [words]) {
          const told = await redis.send(['acl', 'dryrun', 'someone', ...line]);
          expect(dryRun(user, line), `${line.join(' ')} in ${what}`).to.equal(told.startsWith('-') ? 'error' : told);
          expect(dryRun(again, line), `${line.join(' ')} of a copy in ${what}`).to.equal(dryRun(user, line));
        }
      }
    });
  }

  it('categories hold the same commands', async () => {
    for (const category of aclCategories) {
      const told = new Set((await redis.send(['acl', 'cat', category])).split('\r\n'));
      const user = new User('someone', { allChannels: true }).changed(['allkeys', `+@${category}`], {
        allChannels: true,
      });
      for (const line of lines) {
        const command = commandOf(line.map((word) => Buffer.from(word)));
        const allowed =
          command?.flags.includes('no_auth') === true ||
          check(
            user,
            line.map((word) => Buffer.from(word)),
          ) === null;
        const name = command?.name ?? '';
        const container = name.split('|')[0] ?? '';
        const expected = command?.flags.includes('no_auth') === true || told.has(name) || told.has(container);
        expect(allowed, `${name} in ${category}`).to.equal(expected);
      }
    }
  });
});
