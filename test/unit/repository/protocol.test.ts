/** The page on the protocol names the tests that would fail: they have to be there. */
import { existsSync, readFileSync } from 'node:fs';
import { expect } from 'chai';

describe('docs/internals/protocol.md', () => {
  const page = readFileSync('docs/internals/protocol.md', 'utf8');

  it('names files that exist', () => {
    const files = [...page.matchAll(/`([\w./-]+\.ts)`/g)].flatMap(([, file]) => file ?? []);
    expect(files.length).to.be.greaterThan(20);
    expect(files.filter((file) => !existsSync(file))).to.deep.equal([]);
  });

  it('names tests that exist', () => {
    const named = [...page.matchAll(/`([\w./-]+\.ts)`: "([^"]+)"/g)];
    expect(named.length).to.be.greaterThan(20);
    const missing = named.filter(([, file = '', title = '']) => !readFileSync(file, 'utf8').includes(title));
    expect(missing.map(([text]) => text)).to.deep.equal([]);
  });

  it('has a row for every statement', () => {
    const rows = page.match(/^\| \d+ \|/gm) ?? [];
    expect(rows.map((row) => Number(row.slice(2, -2)))).to.deep.equal(Array.from({ length: 26 }, (_, i) => i + 1));
  });
});
