/** Patterns that could take long are matched by us: as Lua matches them, and never for long. */
import { expect } from 'chai';
import { PatternMatcher, worstSteps } from '../../../server/scripting/pattern-matcher.js';
import { limits } from '../../../shared/limits.js';
import { generator } from '../rows/random-numbers.js';
import { OnePartition } from '../rows/one-partition.js';
import { redisBeside } from '../rows/redis-beside.js';

/** Of each pattern what the four functions make of the subject. */
const SCRIPT = `
local out = {}
local s = KEYS[1]
local function swap(a, b) return tostring(b) .. '<' .. tostring(a) .. '>' end
for i, p in ipairs(ARGV) do
  local pieces = {}
  local function add(...) for n = 1, select('#', ...) do pieces[#pieces + 1] = tostring((select(n, ...))) end end
  add(pcall(string.find, s, p))
  add(pcall(string.find, s, p, 5))
  add(pcall(string.match, s, p, -7))
  add(pcall(string.gsub, s, p, '[%0%1]'))
  add(pcall(string.gsub, s, p, swap, 3))
  add(pcall(string.gsub, s, p, { a = 'A', b = false, ab = 7 }))
  add(pcall(function() for a, b in string.gmatch(s, p) do add(a, b) if #pieces > 60 then break end end end))
  out[i] = table.concat(pieces, ' ')
end
return out`;

const items = [
  'a',
  'b',
  '.',
  '%a',
  '%s',
  '%d',
  '[ab]',
  '[^a]',
  '[%w_]',
  '[a-c]',
  '%.',
  '%W',
  '%x',
  '%p',
  '%z',
  '[]]',
  '[^%s]',
];
const others = ['(', ')', '()', '%1', '%bab', '%f[a]', '$', '^', '%', '[', 'c', '(a)', '?', '-'];
const ALPHABET = 'aaabbb c1._]';

describe('patterns of Lua', () => {
  const redis = redisBeside();

  it('that are matched by us match as in Redis', async () => {
    const ours = new OnePartition();
    const random = generator(11);
    const pick = (from: readonly string[] | string): string => from[Math.floor(random() * from.length)]!;
    let own = 0;
    for (let round = 0; round < 30; round++) {
      const subject = Array.from({ length: 24 }, () => pick(ALPHABET)).join('');
      const patterns = Array.from({ length: 20 }, () => {
        // repetitions of what is not there: they count as much, and take no time
        const parts = [...[0, 1].map(() => pick(items) + pick('*+-')), 'Q*', 'R-', 'S*', 'T?'];
        for (let extra = random() * 4; extra > 1; extra--)
          parts.splice(Math.floor(random() * (parts.length + 1)), 0, pick(random() < 0.5 ? items : others));
        return parts.join('');
      });
      own += patterns.filter((p) => worstSteps(Buffer.from(p), subject.length) > limits.scriptPatternSteps).length;
      const words = ['EVAL', SCRIPT, '1', subject, ...patterns];
      expect(ours.send(words), `${subject} ${patterns.join('  ')}`).to.equal(await redis.send(words));
    }
    expect(own).to.be.greaterThan(500);
  });

  it('that are malformed are errors as in Redis', async () => {
    const ours = new OnePartition();
    const long = `${'a*'.repeat(6)}`;
    for (const end of ['%', '[', '[a', '(', ')', '(()', '%1', '%b', '%bx', '%f', '(a)%2', '[%', '[^]', '%9']) {
      for (const call of ['find(KEYS[1], ARGV[1])', 'gsub(KEYS[1], ARGV[1], "")', 'gmatch(KEYS[1], ARGV[1])()']) {
        const words = ['EVAL', `return {string.${call}}`, '1', 'aaab aaab aaab', long + end];
        expect(ours.send(words), `${call} ${end}`).to.equal(await redis.send(words));
      }
    }
    for (const replacement of ['{}', 'function() return {} end', '"%2"', 'function() error("x") end', '{a = {}}']) {
      const words = [
        'EVAL',
        `return {string.gsub(KEYS[1], ARGV[1], ${replacement})}`,
        '1',
        'aaab aaab aaab',
        '(a)' + long,
      ];
      expect(ours.send(words), replacement).to.equal(await redis.send(words));
    }
  });

  it('that never end do not, as somebody is asked whether they may go on', () => {
    const subject = Buffer.from('a'.repeat(100));
    let asked = 0;
    const matcher = new PatternMatcher(subject, Buffer.from(`${'a*'.repeat(30)}b`), () => {
      asked += 1;
      if (asked === 10) throw new Error('enough');
    });
    expect(() => matcher.search(0)).to.throw('enough');
  });
});
