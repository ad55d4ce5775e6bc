import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { claimFolder } from '../../../cli/run/owner.js';

describe('a data folder', () => {
  it('belongs to who took it first; another server or cluster is refused by name', () => {
    const parent = mkdtempSync(join(tmpdir(), 'tulpar-'));
    const dir = join(parent, 'server');
    try {
      claimFolder(dir, { cluster: 'one', node: 'server-1' });
      claimFolder(dir, { cluster: 'one', node: 'server-1' });
      expect(() => claimFolder(dir, { cluster: 'one', node: 'server-2' })).to.throw(
        /belongs to server-1 of cluster one; server-2 of cluster one needs/,
      );
      expect(() => claimFolder(dir, { cluster: 'two', node: 'server-1' })).to.throw(/server-1 of cluster two needs/);
    } finally {
      rmSync(parent, { recursive: true });
    }
  });
});
