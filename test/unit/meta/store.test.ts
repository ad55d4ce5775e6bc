import { expect } from 'chai';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { systemEnvironment } from '../../../shared/environment.js';
import { LevelStateStore } from '../../../meta/store/level.js';
import { MemoryStateStore } from '../../../meta/store/memory.js';
import { describeStateStore } from './store-conformance.js';

let rows = new Map<string, string>();
describeStateStore('memory', {
  open: () => new MemoryStateStore(systemEnvironment, rows),
  reset: () => {
    rows = new Map();
  },
});

let folder = '';
describeStateStore('level', {
  open: () => new LevelStateStore(folder),
  reset: () => {
    if (folder !== '') rmSync(folder, { recursive: true, force: true });
    folder = mkdtempSync(join(tmpdir(), 'tulpar-meta-'));
  },
});

describe('state store: level', () => {
  after(() => rmSync(folder, { recursive: true, force: true }));

  it('refuses a folder that another process uses, by name', (done) => {
    const first = new LevelStateStore(folder);
    first.load((error) => {
      expect(error).to.equal(null);
      new LevelStateStore(folder).load((refusal) => {
        expect(refusal).to.have.property('code', 'E_LOCKED');
        expect(refusal?.message).to.contain(folder);
        first.close(() => done());
      });
    });
  });
});
