import { readFileSync } from 'node:fs';
import { expect } from 'chai';
import { commands } from '../../../shared/commands/index.js';
import { redisCommandNames } from '../../../shared/commands/redis-names.js';
import { wholePage } from '../../conformance/compatibility-page.js';

describe('docs/compatibility.md', () => {
  it('is what the command table and the lists of tests say (npm run docs writes it anew)', () => {
    const page = readFileSync(new URL('../../../../docs/compatibility.md', import.meta.url), 'utf8');
    expect(page).to.equal(wholePage());
  });

  it('accounts for all 240 commands of Redis 7.0, each once', () => {
    const names = Object.values(redisCommandNames).flat();
    expect(names).to.have.length(240);
    expect(new Set(names).size).to.equal(240);
  });

  it('explains every command that is not whole', () => {
    const rows = [...commands.values()].flatMap((command) => [command, ...(command.subcommands ?? [])]);
    expect(rows.filter((row) => row.support !== 'yes' && row.note === undefined).map(({ name }) => name)).to.deep.equal(
      [],
    );
  });
});
