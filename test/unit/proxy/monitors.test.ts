/** What MONITOR shows of a command. */
import { expect } from 'chai';
import { Catalogue, type CatalogueEntry } from '../../../proxy/catalogue.js';
import { handlers } from '../../../proxy/commands/index.js';
import { Monitors } from '../../../proxy/monitors.js';
import type { Session } from '../../../proxy/session.js';
import { commands } from '../../../shared/commands/index.js';
import type { SimpleString } from '../../../shared/commands/reply.js';

const catalogue = new Catalogue([...commands.values()], handlers);

function shown(name: string, ...args: string[]): string[] {
  const lines: string[] = [];
  const monitors = new Monitors();
  const by = { database: 3, address: '10.0.0.1:5', push: (line: SimpleString) => lines.push(line.text) };
  monitors.add(by as unknown as Session);
  const entry = catalogue.findFull(name) as CatalogueEntry;
  const words = args.map((arg) => Buffer.from(arg, 'latin1'));
  monitors.show(by as unknown as Session, entry, words, 1_795_380_601_847.25);
  return lines;
}

describe('MONITOR', () => {
  it('shows time, database, client and words, quoted as Redis does', () => {
    expect(shown('set', 'a b', 'x\n"\x01\\')).to.deep.equal([
      '1795380601.847250 [3 10.0.0.1:5] "set" "a b" "x\\n\\"\\x01\\\\"',
    ]);
    expect(shown('object|encoding', 'k')).to.deep.equal(['1795380601.847250 [3 10.0.0.1:5] "object" "encoding" "k"']);
  });

  it('shows the name of a command as it came', () => {
    const lines: string[] = [];
    const monitors = new Monitors();
    const by = {
      database: 0,
      address: 'a:1',
      push: (line: SimpleString) => lines.push(line.text),
    } as unknown as Session;
    monitors.add(by);
    monitors.show(by, catalogue.findFull('object|encoding') as CatalogueEntry, [Buffer.from('k')], 0, 'OBJECT');
    monitors.showCalled(5, [Buffer.from('GET'), Buffer.from('k')], 1_000);
    expect(lines).to.deep.equal(['0.000000 [0 a:1] "OBJECT" "encoding" "k"', '1.000000 [5 lua] "GET" "k"']);
  });

  it('shows no passwords', () => {
    expect(shown('auth', 'user', 'secret')[0]).to.match(/"auth" "\(redacted\)" "\(redacted\)"$/);
    expect(shown('hello', '3', 'auth', 'user', 'secret', 'setname', 'x')[0]).to.match(
      /"hello" "3" "auth" "\(redacted\)" "\(redacted\)" "setname" "x"$/,
    );
  });

  it('shows nothing of what administrators do', () => {
    expect(shown('config|set', 'requirepass', 'secret')).to.deep.equal([]);
  });
});
