import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'chai';
import { claimFolder } from '../../../cli/run/owner.js';

describe('a data folder', () => {
  it('belongs to who took it first; another server, cluster or format is refused by name', () => {
    const parent = mkdtempSync(join(tmpdir(), 'tulpar-'));
    const dir = join(parent, 'server');
    try {
      claimFolder(dir, { cluster: 'one', node: 'server-1' });
      claimFolder(dir, { cluster: 'one', node: 'server-1' });
      expect(() => claimFolder(dir, { cluster: 'one', node: 'server-2' })).to.throw(
        /belongs to server-1 of cluster one; server-2 of cluster one needs/,
      );
      expect(() => claimFolder(dir, { cluster: 'two', node: 'server-1' })).to.throw(/server-1 of cluster two needs/);
      const path = join(dir, 'owner.json');
      const { format } = JSON.parse(readFileSync(path, 'utf8')) as { format: number };
      for (const other of [1, format + 1]) {
        writeFileSync(path, JSON.stringify({ cluster: 'one', node: 'server-1', format: other }));
        expect(() => claimFolder(dir, { cluster: 'one', node: 'server-1' })).to.throw(
          new RegExp(`holds data of format ${other}, and this version of Tulpar reads format ${format} only`),
        );
      }
    } finally {
      rmSync(parent, { recursive: true });
    }
  });
});
